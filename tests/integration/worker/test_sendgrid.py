"""Documents that go over SendGrid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.application import Application, eventually
from tests.support.sendgrid import KEY, Reply, SendGrid
from tests.support.sink import Script, Sink


@pytest.fixture
def send_grid() -> Iterator[SendGrid]:
    """SendGrid's API on this machine."""
    with SendGrid() as running:
        yield running


def _start(application: Application, send_grid: SendGrid, **variables: str) -> str:
    settings = {"SENDGRID_API_KEY": KEY, "SENDGRID_API_URL": send_grid.url, **variables}
    application.watcher(**settings)
    return application.worker(**settings).log.name


def test_beside_smtp(application: Application, sink: Sink, send_grid: SendGrid) -> None:
    """With SENDGRID_API_KEY, documents with `sendGrid` go there and the others by SMTP."""
    _start(application, send_grid)
    data = {"templateId": "d-1", "dynamicTemplateData": {"name": "Ada"}}
    [by_template] = application.mails.insert_many(
        [{"to": "ada@example.com", "sendGrid": data}]
    ).inserted_ids
    [by_name] = application.insert_numbered([1], transport="sendgrid", categories=["shop"])
    [by_smtp] = application.insert_numbered([2], categories=["shop"])

    delivery = application.wait_for(by_template, "SUCCESS")
    application.wait_for(by_name, "SUCCESS")
    application.wait_for(by_smtp, "SUCCESS")

    assert delivery["info"]["accepted"] == ["ada@example.com"]
    assert delivery["info"]["response"].startswith("202 X-Message-Id: id-")
    assert delivery["info"]["messageId"].endswith("@example.com>")
    assert sorted(send_grid.recipients()) == ["ada@example.com", "recipient1@example.com"]
    assert [message.recipients[0] for message in sink.messages] == ["recipient2@example.com"]
    assert {tuple(each.get("categories", ())) for each in send_grid.requests} == {(), ("shop",)}


def test_as_the_firebase_extension(application: Application, send_grid: SendGrid) -> None:
    """With smtp.sendgrid.net as the server, and a key as password, all mails go over the API."""
    variables = {
        "SMTP_CONNECTION_URI": "smtps://apikey@smtp.sendgrid.net:465",
        "SMTP_PASSWORD": KEY,
        "SENDGRID_API_KEY": "",
    }
    _start(application, send_grid, **variables)

    application.insert(20)
    application.wait_for_all("SUCCESS", 20)

    assert sorted(send_grid.recipients()) == sorted(f"recipient{n}@example.com" for n in range(20))


def test_in_doubt(application: Application, send_grid: SendGrid) -> None:
    """An answer that never came leaves the mail in doubt, and it is not sent again by itself."""
    send_grid.script = "drop"
    _start(application, send_grid, MAX_ATTEMPTS="5", RETRY_BASE_SECONDS="0.1")

    [id] = application.insert(transport="sendgrid")
    delivery = application.wait_for(id, "ERROR")

    assert delivery["inDoubt"] is True
    assert "it may have sent it" in delivery["error"]
    assert send_grid.counts["request"] == 1


def test_retried(application: Application, send_grid: SendGrid) -> None:
    """What SendGrid cannot take for now goes out later, by itself."""
    send_grid.script = Reply(503)
    _start(application, send_grid, MAX_ATTEMPTS="100", RETRY_BASE_SECONDS="0.1")
    [id] = application.insert(transport="sendgrid")
    eventually("a next attempt", lambda: application.delivery(id).get("nextAttemptTime"))

    send_grid.script = None
    application.wait_for(id, "SUCCESS")

    assert send_grid.recipients() == ["recipient0@example.com"]


def test_asked_to_wait(application: Application, send_grid: SendGrid) -> None:
    """After 429 the next attempt is not before the time SendGrid asks for."""
    send_grid.script = Reply(429, headers={"Retry-After": "120"})
    _start(application, send_grid, MAX_ATTEMPTS="5", RETRY_BASE_SECONDS="0.1")
    before = datetime.now(UTC)

    [id] = application.insert(transport="sendgrid")
    eventually("a next attempt", lambda: application.delivery(id).get("nextAttemptTime"))
    due = application.delivery(id)["nextAttemptTime"]

    assert due > before + timedelta(seconds=119)
    assert "asks to wait 120 s" in application.delivery(id)["error"]


def test_stands_in(application: Application, sink: Sink, send_grid: SendGrid) -> None:
    """SendGrid takes the mails of an SMTP server that is away, and gives none to it."""
    sink.script = Script(connect="refuse")
    _start(application, send_grid, TRANSPORT_FALLBACK="sendgrid, default")

    [id] = application.insert()
    application.wait_for(id, "SUCCESS")
    assert send_grid.recipients() == ["recipient0@example.com"]

    send_grid.script = Reply(401)
    sink.script = Script()
    [plain] = application.insert(transport="sendgrid")
    [template] = application.mails.insert_many(
        [{"to": "ada@example.com", "sendGrid": {"templateId": "d-1"}}]
    ).inserted_ids

    application.wait_for(plain, "SUCCESS")
    refused = application.wait_for(template, "ERROR")
    assert len(sink.messages) == 1
    assert "refused the key of SENDGRID_API_KEY" in refused["error"]


def test_no_secret_in_logs(application: Application, send_grid: SendGrid) -> None:
    """The key stands in no log and no document."""
    send_grid.script = Reply(500, [{"message": f"you said {KEY}"}])
    _start(application, send_grid)

    [id] = application.insert(transport="sendgrid")
    delivery = application.wait_for(id, "ERROR")

    assert KEY not in str(delivery) + application.logs()
