"""Documents for SendGrid: read, and written as the request of its API."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId

from tasks.envelope import Mail
from tasks.errors import InvalidDocument, Permanent
from tasks.mail import Defaults, Profiles, compose
from tasks.transport import sendgrid_request
from tests.support.sendgrid import faults


NOW = datetime(2026, 3, 1, tzinfo=UTC)
SMTP = Defaults("Shop <shop@example.com>", transports=("default", "sendgrid"))
SENDGRID = Defaults(
    "Shop <shop@example.com>",
    transport="sendgrid",
    transports=("default", "sendgrid"),
    letters=True,
)
MESSAGE = {"subject": "Hi", "text": "Hello"}


def _compose(defaults: Defaults = SENDGRID, **fields: Any) -> Mail:
    document = {"_id": 1, "to": "a@example.com", "message": MESSAGE, **fields}
    return compose(document, defaults, now=NOW)


def _request(**fields: Any) -> Any:
    mail = _compose(**fields)
    assert mail.letter is not None
    told, _ = sendgrid_request.split(mail)
    request = json.loads(sendgrid_request.body(mail.letter, told))
    assert faults(request) == []
    return request


def _problems(defaults: Defaults = SENDGRID, **fields: Any) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        _compose(defaults, **fields)
    return caught.value.problems


def test_plain() -> None:
    """A mail of text alone says no more than it must."""
    request = _request(_id=ObjectId("65e000000000000000000001"))

    id = request.pop("headers")["Message-ID"]
    assert id.endswith("@example.com>")
    assert request == {
        "personalizations": [{"to": [{"email": "a@example.com"}]}],
        "from": {"email": "shop@example.com", "name": "Shop"},
        "subject": "Hi",
        "content": [{"type": "text/plain", "value": "Hello"}],
    }


def test_everything() -> None:
    """Names, replies, forms of the text, files, headers, list and categories have their places."""
    request = _request(
        to=["Ada Lovelace <ada@bücher.example>"],
        cc="Friends: b@example.com, c@example.com;",
        bcc="hidden@example.com",
        replyTo="Help <help@example.com>",
        categories=["one", "two", "one", None],
        headers={"X-Order": "4711", "X-Name": "Jürgen"},
        list={"unsubscribe": "https://example.com/u", "oneClick": True},
        message={
            "subject": "Grüße",
            "text": "Text",
            "html": "<img src=cid:logo>",
            "amp": "<html ⚡4email></html>",
            "attachments": [
                {"filename": "a.csv", "content": "1;2"},
                {"filename": "l.png", "content": b"\x89PNG" * 50, "cid": "logo"},
                {"filename": "m.eml", "content": "Subject: x\r\n\r\nhello\r\n"},
            ],
        },
    )

    [who] = request["personalizations"]
    assert who == {
        "to": [{"email": "ada@xn--bcher-kva.example", "name": "Ada Lovelace"}],
        "cc": [{"email": "b@example.com"}, {"email": "c@example.com"}],
        "bcc": [{"email": "hidden@example.com"}],
    }
    assert request["reply_to"] == {"email": "help@example.com", "name": "Help"}
    assert request["subject"] == "Grüße"
    assert [form["type"] for form in request["content"]] == [
        "text/plain",
        "text/x-amp-html",
        "text/html",
    ]
    assert request["categories"] == ["one", "two"]
    assert request["headers"]["X-Order"] == "4711"
    assert request["headers"]["X-Name"].startswith("=?utf-8?")
    assert request["headers"]["List-Unsubscribe"] == "<https://example.com/u>"
    logo, table, mail = request["attachments"]
    assert (table["filename"], table["type"], table["disposition"]) == (
        "a.csv",
        "text/csv",
        "attachment",
    )
    assert base64.b64decode(table["content"]) == b"1;2"
    assert (logo["content_id"], logo["disposition"], logo["type"]) == (
        "logo",
        "inline",
        "image/png",
    )
    assert base64.b64decode(logo["content"]) == b"\x89PNG" * 50
    assert (mail["type"], base64.b64decode(mail["content"])) == (
        "message/rfc822",
        b"Subject: x\r\n\r\nhello\r\n",
    )


def test_template() -> None:
    """A template of SendGrid needs no message; its data and the rest go along, named as there."""
    request = _request(
        message=None,
        sendGrid={
            "templateId": "d-1",
            "dynamicTemplateData": {"name": "Ada", "items": [{"price": 1.5}], "none": None},
            "mailSettings": {"sandboxMode": {"enable": True}, "bypass_list_management": {}},
            "customArgs": {"order": "4711", "gone": None},
            "ipPoolName": "transactional",
        },
    )

    assert "subject" not in request
    assert "content" not in request
    assert request["template_id"] == "d-1"
    assert request["personalizations"][0]["dynamic_template_data"] == {
        "name": "Ada",
        "items": [{"price": 1.5}],
        "none": None,
    }
    assert request["personalizations"][0]["custom_args"] == {"order": "4711"}
    assert request["mail_settings"] == {
        "sandbox_mode": {"enable": True},
        "bypass_list_management": {},
    }
    assert request["ip_pool_name"] == "transactional"


def test_template_with_message() -> None:
    """What the message has goes along with the template: attachments, say."""
    request = _request(
        sendGrid={"templateId": "d-1"},
        message={"attachments": [{"filename": "a.txt", "content": "x"}]},
    )

    assert request["template_id"] == "d-1"
    assert request["attachments"][0]["filename"] == "a.txt"


def test_bson_values() -> None:
    """Values of BSON in a template's data become what Node's JSON.stringify makes of them."""
    data = {
        "date": datetime(2026, 3, 1, 12, 30, 0, 5000, tzinfo=UTC),
        "naive": datetime(2026, 3, 1),  # noqa: DTZ001 - as a driver without tz_aware gives it
        "id": ObjectId("65e000000000000000000001"),
        "long": Int64(2**40),
        "price": Decimal128("1.10"),
        "uuid": UUID(int=5),
        "flag": True,
    }

    request = _request(sendGrid={"templateId": "d-1", "dynamicTemplateData": data})

    assert request["personalizations"][0]["dynamic_template_data"] == {
        "date": "2026-03-01T12:30:00.005Z",
        "naive": "2026-03-01T00:00:00.000Z",
        "id": "65e000000000000000000001",
        "long": 2**40,
        "price": "1.10",
        "uuid": "00000000-0000-0000-0000-000000000005",
        "flag": True,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"to": [], "cc": "c@x.example"}, [{"to": [{"email": "c@x.example"}]}]),
        (
            {"to": None, "bcc": ["a@x.example", "b@x.example"]},
            [{"to": [{"email": "a@x.example"}]}, {"to": [{"email": "b@x.example"}]}],
        ),
        (
            {"to": ["A@x.example", "a@X.example"], "cc": "a@x.EXAMPLE", "bcc": "b@x.example"},
            [{"to": [{"email": "A@x.example"}], "bcc": [{"email": "b@x.example"}]}],
        ),
    ],
    ids=["cc alone", "bcc alone", "twice"],
)
def test_recipients(fields: dict[str, Any], expected: list[Any]) -> None:
    """The API wants a `to` and everybody once; hidden recipients never see each other."""
    assert _request(**fields)["personalizations"] == expected


def test_only_those_of_the_envelope() -> None:
    """Who was left out meanwhile (suppressed, or has the mail already) is not in the request."""
    mail = _compose(to=["a@x.example", "b@x.example"], cc="c@x.example")
    assert mail.letter is not None

    request = json.loads(sendgrid_request.body(mail.letter, ["b@x.example"]))

    assert request["personalizations"] == [{"to": [{"email": "b@x.example"}]}]


def test_beyond_ascii() -> None:
    """An address the API does not take is refused alone; as the sender it refuses the mail."""
    told, refused = sendgrid_request.split(_compose(to=["jürgen@x.example", "b@x.example"]))
    assert told == ["b@x.example"]
    assert [each.recipient for each in refused] == ["jürgen@x.example"]

    with pytest.raises(Permanent, match="beyond ASCII"):
        sendgrid_request.split(_compose(SENDGRID, **{"from": "jürgen@x.example"}))


def test_too_many_recipients() -> None:
    """More than the API takes at once is said before it is asked."""
    with pytest.raises(Permanent, match="1001 recipients; SendGrid takes 1000"):
        sendgrid_request.split(_compose(to=[f"r{n}@x.example" for n in range(1001)]))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"sendGrid": "d-1"}, "sendGrid must be a map, not a string"),
        ({"sendGrid": {"templateId": 5}}, "sendGrid.templateId must be a string, not a number"),
        (
            {"sendGrid": {"dynamicTemplateData": {"a": 1}}},
            "sendGrid.templateId is missing, and dynamicTemplateData is for a template",
        ),
        (
            {"sendGrid": {"templateId": "d", "dynamicTemplateData": {"a": [b"x"]}}},
            "sendGrid.dynamicTemplateData.a.0 has no form in JSON: it is binary",
        ),
        (
            {"sendGrid": {"templateId": "d", "dynamicTemplateData": {"a": float("nan")}}},
            "sendGrid.dynamicTemplateData.a has no form in JSON: it is a number",
        ),
        (
            {"sendGrid": {"customArgs": {"a": 1}}},
            "sendGrid.customArgs.a must be a string, not a number",
        ),
        ({"sendGrid": {}, "message": None}, "message is missing"),
        ({"message": {"subject": "", "text": "x"}}, "message.subject is empty; SendGrid takes no"),
        ({"from": "a@x.example, b@x.example"}, "from holds several addresses; SendGrid takes one"),
        ({"headers": {"X-A": ["1", "2"]}}, "headers.x-a has several values; SendGrid takes one"),
        ({"categories": [str(n) for n in range(11)]}, "categories has 11 items; SendGrid takes 10"),
        ({"categories": "x" * 256}, "categories has an item of more than 255 characters"),
        (
            {"message": {**MESSAGE, "attachments": [{"raw": "X: y\r\n\r\nz"}]}},
            "message.attachments has a raw part, which SendGrid does not take",
        ),
        (
            {"message": {**MESSAGE, "attachments": [{"content": "x", "headers": {"X-A": "b"}}]}},
            "message.attachments has headers of a part; SendGrid takes none",
        ),
        (
            {
                "message": {
                    **MESSAGE,
                    "alternatives": [{"content": b"\xff", "contentType": "application/x"}],
                }
            },
            "message.alternatives has a part that is no text; SendGrid takes texts",
        ),
    ],
)
def test_what_cannot_be(fields: dict[str, Any], problem: str) -> None:
    """What a letter cannot have is an error with its path, not left out."""
    [found] = _problems(**fields)

    assert found.startswith(problem)


def test_without_sendgrid() -> None:
    """A document for SendGrid is an error where there is none; categories are of no effect."""
    assert _problems(SMTP, sendGrid={}) == ["sendGrid needs the setting SENDGRID_API_KEY"]
    assert _problems(SMTP, sendGrid={}, transport="default") == [
        "sendGrid cannot go over default, which is not SendGrid"
    ]
    assert _compose(SMTP, categories=["a"] * 50).letter is None
    assert _compose(SMTP, sendGrid=None).letter is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, "default"),
        ({"sendGrid": None}, "default"),
        ({"sendGrid": {}}, "sendgrid"),
        ({"sendGrid": {}, "transport": "default"}, "default"),
        ({"transport": "SendGrid"}, "sendgrid"),
        ({"transport": "unknown"}, "default"),
        ({"transport": 5, "sendGrid": "x"}, "sendgrid"),
    ],
)
def test_which_transport(document: dict[str, Any], expected: str) -> None:
    """`transport` chooses; without it, a `sendGrid` field goes over SendGrid."""
    assert Profiles([SMTP, SENDGRID]).of(document).transport == expected


def test_size() -> None:
    """MAX_MESSAGE_BYTES holds for letters, too."""
    small = Defaults("shop@example.com", letters=True, max_message_bytes=10_000)
    message = {**MESSAGE, "attachments": [{"content": b"x" * 9000}]}

    with pytest.raises(Permanent, match="is larger than MAX_MESSAGE_BYTES, 10000"):
        _compose(small, message=message)
