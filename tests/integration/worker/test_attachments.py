"""Attachments from elsewhere, through the real processes."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from gridfs import GridFSBucket

from tests.support.application import Application, eventually
from tests.support.sink import Sink
from tests.support.web_server import WebServer, answer


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Where files are fetched from."""
    with WebServer({"/b.pdf": answer(b"from the web", content_type="application/pdf")}) as running:
        yield running


@pytest.fixture
def running(application: Application, server: WebServer, tmp_path: Path) -> Application:
    """One watcher and one worker that may read files, URLs and GridFS, and try nine times."""
    root = tmp_path / "attachments"
    root.mkdir()
    (root / "a.pdf").write_bytes(b"from a file")
    variables = {
        "ATTACHMENT_ROOT": str(root),
        "ATTACHMENT_HOSTS": f"127.0.0.1:{server.port}",
        "ATTACHMENT_BUCKET": "fs",
        "MAX_ATTEMPTS": "9",
        "RETRY_BASE_SECONDS": "0.2",
        "SWEEP_SECONDS": "0.5",
    }
    application.watcher(**variables)
    application.worker(**variables)
    return application


def mail(*attachments: Any) -> dict[str, Any]:
    return {"subject": "Files", "text": "Hi", "attachments": list(attachments)}


def files(content: bytes) -> list[Any]:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return [(part.get_filename(), part.get_content()) for part in message.iter_attachments()]


def test_files_from_everywhere(running: Application, sink: Sink, server: WebServer) -> None:
    """A file of the machine, of the web and of GridFS arrive in one mail."""
    id = GridFSBucket(running.mails.database).upload_from_stream("c.pdf", b"from GridFS")
    attachments = [{"path": "a.pdf"}, {"href": f"{server.url}/b.pdf"}, {"gridfs": id}]
    [mail_id] = running.insert(message=mail(*attachments))

    running.wait_for(mail_id, "SUCCESS")

    assert files(sink.wait(1)[0].content) == [
        ("a.pdf", b"from a file"),
        ("b.pdf", b"from the web"),
        ("c.pdf", b"from GridFS"),
    ]


def test_what_cannot_be_had(running: Application, sink: Sink) -> None:
    """Every attachment that cannot be had is named at once; nothing is sent."""
    [id] = running.insert(message=mail({"path": "../x"}, {"href": "http://10.0.0.1/"}))

    delivery = running.wait_for(id, "ERROR")

    assert delivery["error"] == (
        "message.attachments.0.path does not exist below ATTACHMENT_ROOT; "
        "message.attachments.1.href is at 10.0.0.1, which is not in ATTACHMENT_HOSTS"
    )
    assert delivery["attempts"] == 1
    assert sink.messages == []


def test_a_host_that_comes_back(running: Application, sink: Sink, server: WebServer) -> None:
    """A busy host makes the attempt fail for now; the next one has the file."""
    whole = server.answers["/b.pdf"]
    server.answers["/b.pdf"] = answer(status="503 Busy")
    [id] = running.insert(message=mail({"href": f"{server.url}/b.pdf"}))
    error = eventually("the attempt fails", lambda: running.delivery(id).get("error"))

    server.answers["/b.pdf"] = whole
    delivery = running.wait_for(id, "SUCCESS")

    assert error == f"message.attachments.0.href 127.0.0.1:{server.port} answered 503"
    assert delivery["attempts"] > 1
    assert files(sink.wait(1)[0].content) == [("b.pdf", b"from the web")]
