"""Mails made of templates, and the page of the templates, over HTTP."""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.collection import Collection

from config.settings import Settings
from tests.support import console
from tests.support.application import eventually
from tests.support.console import Browser
from tests.support.console_mails import HOSTILE
from tests.support.histories import past


Mails = Collection[dict[str, Any]]
Templates = Collection[dict[str, Any]]

NAME = f"hi {HOSTILE}"
GREETING = {
    "_id": "greeting",
    "name": NAME,
    "subject": "Hi {{name}}",
    "text": "Dear {{name}}",
    "html": "<link rel=preconnect href=https://x.invalid><p>{{name}}</p>{{> sign}}",
    "sample": {"name": "Ann & Bo"},
}
SIGN = {"_id": "sign", "partial": True, "html": "<i>the team</i>"}
LONG = {"_id": "long", "name": "n" * 1_000_000, "text": "x"}
BAD = {"_id": "bad", "text": "{{#if}", "html": "{{> nowhere}}"}


@pytest.fixture(scope="module")
def templates(collection: Mails) -> Templates:
    """The collection of templates."""
    found: Templates = collection.database[f"templates_{uuid.uuid4().hex}"]
    found.insert_many([dict(each) for each in (GREETING, SIGN, LONG, BAD)])
    return found


@pytest.fixture(scope="module")
def browser(
    shared: Settings, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser at a console that knows the templates, and may fetch from anywhere."""
    log = tmp_path_factory.mktemp("console") / "log"
    with console.running(
        shared, log, TEMPLATES_COLLECTION=templates.name, ATTACHMENT_HOSTS="127.0.0.1"
    ) as started:
        yield started.browser().begin()


def _mail(**fields: Any) -> dict[str, Any]:
    """Make a mail that went out, made of the greeting; `fields` take the place of its own."""
    mail = past(1) | {"template": {"name": NAME, "data": {"name": "<b>Zoë</b>"}}} | fields
    del mail["message"]
    return mail | ({"message": fields["message"]} if "message" in fields else {})


def test_a_mail_of_a_template(browser: Browser, mails: Mails) -> None:
    """It shows the subject, text and HTML that its template makes of its data, escaped."""
    mails.insert_one(_mail())

    mail = browser.get("/api/mail", id="1").json
    html = browser.get("/mail/html", id="1")

    assert (mail["subject"], mail["text"]) == ("Hi <b>Zoë</b>", "Dear <b>Zoë</b>")
    assert (mail["rendered"], mail["hasHtml"], mail["problems"]) == (True, True, [])
    assert "<p>&lt;b&gt;Zoë&lt;/b&gt;</p><i>the team</i>" in html.body.decode()
    assert "<link" not in html.body.decode()
    assert "default-src 'none'" in html.headers["content-security-policy"]


def test_the_template_as_it_is_now(browser: Browser, mails: Mails, templates: Templates) -> None:
    """A change of the template is seen, and one that breaks it is told in its own words."""
    templates.insert_one({"_id": "changing", "subject": "s", "text": "before"})
    mails.insert_one(_mail(template={"name": "changing"}))
    assert browser.get("/api/mail", id="1").json["text"] == "before"

    templates.update_one({"_id": "changing"}, {"$set": {"text": "after"}})
    eventually("the change", lambda: browser.get("/api/mail", id="1").json["text"] == "after")
    templates.update_one({"_id": "changing"}, {"$set": {"text": "{{#if}"}})
    eventually("the change", lambda: browser.get("/api/mail", id="1").json["problems"])

    mail = browser.get("/api/mail", id="1").json
    assert (mail["rendered"], mail["text"], mail["hasHtml"]) == (False, None, False)
    assert 'template "changing", text, line 1' in mail["problems"][0]
    assert browser.get("/mail/html", id="1").status == 404


def test_nothing_is_fetched(browser: Browser, mails: Mails) -> None:
    """Looking at a mail asks no server for its attachments."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.txt"
        mails.insert_one(_mail(message={"attachments": [{"href": address}]}))

        mail = browser.get("/api/mail", id="1").json

        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (mail["rendered"], mail["attachments"]) == (True, [address])


def test_templates_that_are_not_there(browser: Browser, mails: Mails) -> None:
    """A missing template is said as a worker says it; what the mail brings itself is shown."""
    mails.insert_one(_mail(template={"name": "gone"}, message={"text": "own"}))

    mail = browser.get("/api/mail", id="1").json

    assert mail["problems"] == ['template "gone" is not in TEMPLATES_COLLECTION']
    assert mail["text"] == "own"
    assert browser.get("/api/template", name="gone").status == 404
    assert browser.get("/template/html", name="sign").status == 404


def test_the_list(browser: Browser, templates: Templates) -> None:
    """Each with fields, data, partials and what is wrong with it; hidden ones say why."""
    rows = {row["name"]: row for row in browser.get("/api/templates").json["templates"]}

    greeting = rows[NAME]
    assert greeting["fields"] == ["subject", "text", "html"]
    assert (greeting["data"], greeting["partials"], greeting["errors"]) == (["name"], ["sign"], [])
    assert (greeting["canPreview"], rows["sign"]["canPreview"]) == (True, False)
    wrong = rows["bad"]["errors"]
    assert wrong[0].startswith("text, line 1")
    assert wrong[1] == 'html: there is no partial "nowhere" with a html'
    assert templates.count_documents({}) >= len(rows)


def test_the_list_is_bounded(browser: Browser, templates: Templates) -> None:
    """A page shows so many, and how many there are besides."""
    templates.insert_many([{"_id": f"many {n}", "text": "x"} for n in range(600)])

    eventually("the news", lambda: browser.get("/api/templates").json["more"] > 100)

    answer = browser.get("/api/templates")
    assert len(answer.json["templates"]) <= 500
    assert len(answer.body) < 500_000
    templates.delete_many({"_id": {"$regex": "^many"}})


def test_a_preview_with_the_sample(browser: Browser) -> None:
    """The fields as the sample makes them; the HTML fenced, and connecting to nothing."""
    shown = browser.get("/api/template", name=NAME).json
    html = browser.get("/template/html", name=NAME, remote="1")

    assert (shown["subject"], shown["text"]) == ("Hi Ann & Bo", "Dear Ann & Bo")
    assert (shown["hasHtml"], shown["hasSample"], shown["problems"]) == (True, True, [])
    assert "<p>Ann &amp; Bo</p><i>the team</i>" in html.body.decode()
    assert "<link" not in html.body.decode()
    policy = html.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "img-src data:;" in policy
    assert "script" not in policy
    wrong = browser.get("/api/template", name="bad").json["problems"]
    assert '"bad", text, line 1' in wrong[0]


def test_without_the_setting(running: console.Console, mails: Mails) -> None:
    """There is no such page, and a mail with a template names the setting."""
    mails.insert_one(_mail())
    browser = running.browser().begin()

    assert browser.get("/api/session").json["templates"] is False
    assert browser.get("/api/templates").status == 404
    problems = browser.get("/api/mail", id="1").json["problems"]
    assert problems == ["template needs the setting TEMPLATES_COLLECTION"]
