"""The inbox as a process of its own: mails in over SMTP, out over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import smtplib
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from local import ports
from local.processes import Server


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Inbox:
    smtp_port: int
    web_port: int
    server: Server

    def request(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=5)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def find(self, words: str) -> list[dict[str, Any]]:
        answer = json.loads(self.request(f"/api/mails?search={words}").body)
        mails: list[dict[str, Any]] = answer["mails"]
        return mails

    def send(self, message: EmailMessage, *recipients: str) -> dict[str, Any]:
        """Send a mail under a subject of its own; return what the API shows of it."""
        word = uuid.uuid4().hex
        message["Subject"] = f"Test {word}"
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.sendmail(
                "bounce@example.com", recipients or ("a@example.com",), message.as_bytes()
            )
        (found,) = self.find(word)
        mail: dict[str, Any] = json.loads(self.request(f"/api/mails/{found['id']}").body)
        return mail


def _start(directory: Path) -> Inbox:
    smtp_port, web_port = ports.free(), ports.free()
    options = ["--smtp-port", str(smtp_port), "--web-port", str(web_port)]
    server = Server(
        name="inbox",
        command=[
            *(sys.executable, "-m", "local.inbox"),
            *options,
            *("--directory", str(directory / "mails")),
        ],
        log=directory / "inbox.log",
        ready=lambda _pid: ports.accepts(smtp_port) and ports.accepts(web_port),
    )
    server.start()
    return Inbox(smtp_port, web_port, server)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    started = _start(tmp_path_factory.mktemp("inbox"))
    yield started
    assert started.server.stop() == 0


def test_mail_is_shown(inbox: Inbox) -> None:
    """A mail comes out as it went in: people, text, HTML, files and envelope."""
    message = EmailMessage()
    message["From"] = "Sender <from@example.com>"
    message["To"] = "To <to@example.com>"
    message.set_content("Hello")
    message.add_alternative("<b>Hello</b>", subtype="html")
    message.add_attachment(b"1,2", maintype="text", subtype="csv", filename="größe.csv")

    mail = inbox.send(message, "to@example.com", "hidden@example.com")

    assert mail["from"] == {"name": "Sender", "address": "from@example.com"}
    assert mail["to"] == [{"name": "To", "address": "to@example.com"}]
    assert mail["envelope"] == {
        "from": "bounce@example.com",
        "to": ["to@example.com", "hidden@example.com"],
        "smtputf8": False,
    }
    assert (mail["text"].strip(), mail["html"].strip()) == ("Hello", "<b>Hello</b>")
    assert [(file["filename"], file["size"]) for file in mail["attachments"]] == [("größe.csv", 3)]


def test_non_ascii_addresses(inbox: Inbox) -> None:
    """Addresses beyond ASCII come through SMTPUTF8 (RFC 6531)."""
    word = uuid.uuid4().hex
    source = f"To: jörg@example.com\r\nSubject: Grüße {word}\r\n\r\nText\r\n".encode()
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client:
        client.ehlo()
        client.mail("böx@example.com", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("jörg@example.com")
        client.data(source)

    (mail,) = inbox.find(word)
    assert mail["subject"] == f"Grüße {word}"
    assert mail["recipients"] == ["jörg@example.com"]


def test_extensions_are_offered(inbox: Inbox) -> None:
    """A client may pipeline, send 8-bit bodies and UTF-8 addresses, and knows the size limit."""
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client:
        client.ehlo()

        assert {"pipelining", "8bitmime", "smtputf8", "size"} <= set(client.esmtp_features)


def test_pipelined_commands(inbox: Inbox) -> None:
    """Commands sent at once, two mails in a row, are all answered in order (RFC 2920)."""
    word = uuid.uuid4().hex
    envelope = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    text = f"Subject: {word}\r\n\r\nx\r\n.\r\n".encode()
    with socket.create_connection(("127.0.0.1", inbox.smtp_port), timeout=5) as connection:
        replies = connection.makefile("rb")
        assert replies.readline().startswith(b"220")
        connection.sendall(b"EHLO client.example\r\n")
        while not replies.readline().startswith(b"250 "):
            pass
        connection.sendall(envelope)
        assert [replies.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        connection.sendall(text + envelope)
        assert [replies.readline()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
        connection.sendall(text + b"QUIT\r\n")
        assert [replies.readline()[:3] for _ in range(2)] == [b"250", b"221"]

    assert len(inbox.find(word)) == 2


def test_source_is_exact(inbox: Inbox) -> None:
    """The source is the mail byte for byte, dots at the beginning of lines as well."""
    source = b"Subject: x\r\n\r\n.dot\r\n..two\r\n"
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client:
        client.sendmail("exact@example.com", ["b@example.com"], source)

    (mail,) = inbox.find("exact@example.com")
    assert inbox.request(f"/mails/{mail['id']}/source").body == source


def test_html_cannot_run(inbox: Inbox) -> None:
    """The HTML of a mail is sandboxed by its own headers, wherever it is opened."""
    message = EmailMessage()
    message.set_content("<script>alert(1)</script>", subtype="html")
    mail = inbox.send(message)

    headers = inbox.request(f"/mails/{mail['id']}/html").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "http:" not in policy
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    remote = inbox.request(f"/mails/{mail['id']}/html?remote=1").headers
    assert "img-src data: https: http:" in remote["Content-Security-Policy"]


def test_attachment_is_saved_never_shown(inbox: Inbox) -> None:
    """A file of a mail is a download, whatever it claims to be; its name breaks no header."""
    message = EmailMessage()
    message.set_content("x")
    message.add_attachment(
        b"<script>", maintype="text", subtype="html", filename='a"; filename=b\u00fc.html'
    )
    mail = inbox.send(message)

    answer = inbox.request(f"/mails/{mail['id']}/attachments/0")
    assert answer.body == b"<script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''a%22%3B%20filename%3Db%C3%BC.html"
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8025", "127.0.0.1.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/mails", "/api/events", "/nothing"])
def test_foreign_host_is_refused(inbox: Inbox, host: str, path: str) -> None:
    """A page that points its own name at this machine reads nothing (DNS rebinding)."""
    assert inbox.request(path, Host=host).status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_own_host_is_served(inbox: Inbox, host: str) -> None:
    """The page answers under this machine's own names, and says who may do what with it."""
    answer = inbox.request("/", Host=f"{host}:{inbox.web_port}")

    assert answer.status == 200
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/mails/0-0",
        "/mails/0-0/html",
        "/mails/0-0/source",
        "/mails/0-0/attachments/0",
        "/static/../web.py",
        "/mails/..%2f..%2fetc/source",
        "/nothing",
    ],
)
def test_unknown_address(inbox: Inbox, path: str) -> None:
    """What is not there is 404 (403 outside the page's own files), never an error of ours."""
    assert inbox.request(path).status in (403, 404)


def test_live_event(inbox: Inbox) -> None:
    """A mail is announced to open pages at once."""
    with socket.create_connection(("127.0.0.1", inbox.web_port), timeout=5) as connection:
        connection.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lines = connection.makefile("rb")
        while not lines.readline().startswith(b"retry:"):
            pass
        message = EmailMessage()
        message.set_content("x")
        inbox.send(message)

        while not lines.readline().startswith(b"event: change"):
            pass


def test_delete_one(inbox: Inbox) -> None:
    """A deleted mail is gone, the others stay."""
    message = EmailMessage()
    message.set_content("x")
    mail = inbox.send(message)

    assert inbox.request(f"/api/mails/{mail['id']}", "DELETE").status == 204
    assert inbox.request(f"/api/mails/{mail['id']}").status == 404


def test_search(inbox: Inbox) -> None:
    """Every word must be found, in any of subject, people and first words, in any letter case."""
    message = EmailMessage()
    message["From"] = "Zoë <zoe@example.com>"
    message.set_content("The quick brown fox")
    mail = inbox.send(message, "xaver@example.com")

    for words in ("QUICK", "zo%C3%8B", "xaver%20fox"):
        assert mail["id"] in [found["id"] for found in inbox.find(words)]
    assert inbox.find("quick%20nowhere") == []


def test_mails_survive_a_restart(tmp_path: Path) -> None:
    """The inbox shows after a restart what it showed before; all can be deleted for good."""
    first = _start(tmp_path)
    message = EmailMessage()
    message.set_content("x")
    mail = first.send(message)
    assert first.server.stop() == 0

    second = _start(tmp_path)
    try:
        assert [found["id"] for found in second.find("")] == [mail["id"]]
        assert second.request("/api/mails", "DELETE").status == 204
    finally:
        second.server.stop()

    assert list((tmp_path / "mails").iterdir()) == []


def test_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """A mail that cannot be kept is refused for now (4xx), so that its sender tries again."""
    inbox = _start(tmp_path)
    (tmp_path / "mails").rmdir()
    try:
        with (
            smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client,
            pytest.raises(smtplib.SMTPDataError) as caught,
        ):
            client.sendmail("a@example.com", ["b@example.com"], "Subject: x\r\n\r\n")
        assert caught.value.smtp_code == 452
    finally:
        inbox.server.stop()


def test_stops_with_open_pages(tmp_path: Path) -> None:
    """An open page does not hold up the end."""
    inbox = _start(tmp_path)
    with socket.create_connection(("127.0.0.1", inbox.web_port), timeout=5) as connection:
        connection.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1000)
        began = time.monotonic()

        assert inbox.server.stop() == 0
        assert time.monotonic() - began < 3
