"""Who gets in, and what nobody gets past."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from console.guard import LARGEST_BODY
from console.throttle import PER_CLIENT
from tests.support import console
from tests.support.console import Browser, Console


PASSWORD = "correct horse battery"
CHANGE = json.dumps({"kind": "retry", "id": "x"})


@pytest.fixture(scope="module")
def closed(shared: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console with a password."""
    log = tmp_path_factory.mktemp("closed") / "log"
    with console.running(shared, log, CONSOLE_PASSWORD=PASSWORD, CONSOLE_HOST="0.0.0.0") as made:
        yield made
    assert PASSWORD not in log.read_text()


def test_nothing_without_the_password(closed: Console) -> None:
    """No address but the login page, its look, and the health check answers a stranger."""
    stranger = closed.browser()

    assert stranger.get("/").headers["location"] == "/login"
    assert stranger.get("/login").status == 200
    assert stranger.get("/static/style.css").status == 200
    assert stranger.get("/healthz").body == b"ok\n"
    for path in ("/api/session", "/api/mails", "/api/mail", "/api/changes", "/api/events"):
        assert stranger.get(path).status == 401, path
    for path in ("/api/templates", "/api/template", "/template/html"):
        assert stranger.get(path).status == 401, path
    for path in ("/mail/html", "/mail/source", "/anything", "/static/../app.py", "/login/x"):
        assert stranger.get(path).status in (401, 404), path
    assert stranger.request("POST", "/api/changes", CHANGE).status == 401
    assert stranger.request("POST", "/logout").status == 401


def test_login_and_logout(closed: Console) -> None:
    """The password opens a session in a cookie that scripts and other sites cannot use."""
    browser = closed.browser()
    assert browser.log_in("wrong").status == 401
    assert browser.cookies == {}

    answer = browser.log_in(PASSWORD)

    cookie = answer.headers["set-cookie"].lower()
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.begin().get("/api/mails").status == 200
    kept = dict(browser.cookies)
    assert browser.request("POST", "/logout").status == 204
    browser.cookies = kept
    assert browser.get("/api/mails").status == 401


def test_a_cookie_over_tls_stays_there(closed: Console) -> None:
    """Behind a proxy with TLS the cookie is never sent in clear."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-Proto": "https"}
    answer = closed.browser().request("POST", "/login", f"password={PASSWORD}", form)

    assert "secure" in answer.headers["set-cookie"].lower()


def test_passwords_cannot_be_tried_for_long(shared: Settings, tmp_path: Path) -> None:
    """After a few tries even the right one has to wait; a session that there is goes on."""
    with console.running(shared, tmp_path / "log", CONSOLE_PASSWORD=PASSWORD) as own:
        _try(own.browser(), own.browser())


def _try(inside: Browser, stranger: Browser) -> None:
    inside.log_in(PASSWORD)

    tries = [stranger.log_in(f"wrong {number}").status for number in range(PER_CLIENT + 1)]
    answer = stranger.log_in(PASSWORD)

    assert tries == [401] * PER_CLIENT + [429]
    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert inside.get("/api/mails").status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "10.0.0.1"])
def test_a_foreign_name_for_this_machine(browser: Browser, host: str) -> None:
    """Without a password, a web page that points its own name at 127.0.0.1 reads nothing."""
    for path in ("/", "/api/mails", "/static/app.js"):
        assert browser.request("GET", path, headers={"Host": host}).status in (400, 403), path
    own = {"Host": f"localhost:{browser.port}"}
    assert browser.request("GET", "/api/mails", headers=own).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": None},
        {"X-CSRF-Token": "guessed"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": None, "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
    ],
)
def test_another_site_changes_nothing(browser: Browser, headers: dict[str, str | None]) -> None:
    """With the cookie alone, or from elsewhere, nothing is changed."""
    assert browser.request("POST", "/api/changes", CHANGE, headers).status == 403
    assert browser.request("POST", "/logout", headers=headers).status == 403
    assert browser.get("/api/mails").status == 200


def test_a_browser_that_says_its_origin_only(browser: Browser) -> None:
    """Over plain HTTP to another machine, browsers say nothing else."""
    own = {"Sec-Fetch-Site": None, "Origin": f"http://127.0.0.1:{browser.port}"}

    assert browser.request("POST", "/api/changes", CHANGE, own).status == 200


def test_requests_are_bounded(browser: Browser) -> None:
    """By their length, said or not; a request cannot fill the memory."""
    large = "x" * (LARGEST_BODY + 1)
    assert browser.request("POST", "/api/changes", large).status == 413
    assert browser.request("GET", f"/api/mails?text={'x' * 70_000}").status in (400, 414)

    with socket.create_connection(("127.0.0.1", browser.port), timeout=10) as connection:
        head = browser._headers(
            {"Host": f"127.0.0.1:{browser.port}", "Transfer-Encoding": "chunked"}
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        connection.sendall(f"POST /api/changes HTTP/1.1\r\n{lines}\r\n".encode())
        for _ in range(3):
            connection.sendall(f"{30_000:x}\r\n{'x' * 30_000}\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_every_answer_is_fenced(browser: Browser) -> None:
    """No inline script, no frame of others, no guessing of types, nothing kept by caches."""
    paths = ("/", "/static/app.js", "/api/session", "/api/mails?since=x", "/nothing", "/mail/html")
    for path in paths:
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert "server" not in headers, path
