"""What `python -m tasks lint` finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.settings import Settings
from tasks.commands.given import Given
from tasks.commands.judging import Judgement, judge


NOW = datetime(2027, 1, 1, tzinfo=UTC)
MESSAGE = {"subject": "Hello", "text": "Hi"}
WHOLE: dict[str, Any] = {"to": "jo@example.org", "message": MESSAGE}
SETTINGS = Settings(
    _env_file=None,
    mongodb_uri="mongodb://127.0.0.1",
    celery_broker_url="redis://127.0.0.1",
    smtp_connection_uri="smtp://127.0.0.1",
    default_from="Shop <shop@example.com>",
)


def judged(
    settings: Settings | None = SETTINGS, *, stored: bool = False, **fields: Any
) -> Judgement:
    document = WHOLE | {name.rstrip("_"): value for name, value in fields.items()}
    return judge(Given(document, stored), settings, NOW)


def test_a_good_document() -> None:
    """Nothing is said."""
    assert judged() == Judgement([])


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"to": 5, "message": {"text": 5}}, ["to must be", "message.text must be"]),
        ({"to": None, "message": {"text": "x"}}, ["message.subject is missing", "to, cc, bcc: no"]),
        ({"deliverBefore": NOW - timedelta(days=1)}, ["deliverBefore has passed"]),
        ({"message": {**MESSAGE, "text": "x" * 30_000_000}}, ["message of 3"]),
        ({"delivery": 5}, ["delivery must be a map, not a number"]),
        ({"delivery": {"state": []}, "from_": "x"}, ["delivery.state must be", "from holds"]),
        ({"toUids": ["u1"]}, ["toUids needs the setting USERS_COLLECTION"]),
        (
            {"message": {**MESSAGE, "attachments": [{"path": "a.txt"}]}},
            ["message.attachments.0.path needs the setting ATTACHMENT_ROOT"],
        ),
    ],
)
def test_problems(fields: dict[str, Any], problems: list[str]) -> None:
    """All that composing finds, and what the watcher would."""
    found = [str(each) for each in judged(**fields).problems]

    assert len(found) == len(problems)
    assert all(text.startswith(start) for text, start in zip(found, problems, strict=True))


def test_more_than_are_listed() -> None:
    """The rest is counted."""
    assert judged(to=[5] * 57).unlisted == 37


def test_a_template_is_taken_for_there() -> None:
    """It brings the texts; which ones is known only when it is rendered."""
    document = {"to": "a@example.com", "template": {"name": "welcome"}}

    assert judge(Given(document, stored=False), None, NOW).problems == []


def test_without_settings_everything_is_allowed() -> None:
    """Users and files are taken for there, as with the settings that allow them."""
    attachments = [{"path": "a.txt"}, {"href": "https://example.com/a"}, {"gridfs": "a"}]
    message = {**MESSAGE, "attachments": attachments, "icalEvent": {"path": "a.ics"}}
    allowing = SETTINGS.model_copy(
        update={
            "users_collection": "users",
            "attachment_root": "/srv",
            "attachment_hosts": "*",
            "attachment_bucket": "fs",
        }
    )

    for settings in (None, allowing):
        assert judged(settings, toUids=["u1"], message=message).problems == []
    assert len(judged(toUids=["u1"], message=message).problems) == 5


@pytest.mark.parametrize(
    ("fields", "warnings"),
    [
        ({"to": ["jo@example.org", "bad@@x"]}, ['to, cc, bcc "bad@@x" gets nothing: Invalid']),
        ({"message": {"subject": "x", "html": "<p>x</p>"}}, ["message.text is missing: readers"]),
        ({"from_": "a@example.net"}, ["from is of example.net, DEFAULT_FROM of example.com"]),
        ({"from_": "a@mail.example.com"}, []),
        ({"subject": "Hello"}, ["subject is not looked at: did you mean message.subject?"]),
        ({"Text": "Hi"}, ["Text is not looked at: did you mean message.text?"]),
        ({"replyto": "a@example.com"}, ["replyto is not looked at: did you mean replyTo?"]),
        ({"ours": 1, "createdAt": 2, "": 3}, []),
        (
            {"message": {**MESSAGE, "atachments": []}},
            ["message.atachments is not looked at: did you mean attachments?"],
        ),
        (
            {"message": {**MESSAGE, "attachments": [{"content": "x", "fileName": "x"}, None]}},
            ["message.attachments.0.fileName is not looked at: did you mean filename?"],
        ),
        ({"sendAt": NOW, "deliverBefore": NOW + timedelta(days=1)}, []),
        (
            {"sendAt": NOW + timedelta(days=1), "deliverBefore": NOW + timedelta(hours=1)},
            ["deliverBefore is not after sendAt"],
        ),
        ({"delivery": {"state": "DRAFT"}}, ["delivery.state holds the mail back"]),
        ({"delivery": {"state": "PENDING"}}, []),
    ],
)
def test_warnings(fields: dict[str, Any], warnings: list[str]) -> None:
    """Few, and none of them keeps a mail from being sent."""
    judgement = judged(**fields)
    found = [str(each) for each in judgement.oddities]

    assert judgement.problems == []
    assert len(found) == len(warnings), found
    assert all(text.startswith(start) for text, start in zip(found, warnings, strict=True))


def test_the_state_of_a_stored_mail_is_no_news() -> None:
    """A mail that was sent is judged as it would be sent again."""
    assert judged(stored=True, delivery={"state": "SUCCESS"}) == Judgement([])
