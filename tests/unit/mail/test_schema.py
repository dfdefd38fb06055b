from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Code, DBRef, Decimal128, MinKey, ObjectId, Regex, Timestamp

from tasks.errors import InvalidDocument
from tasks.mail import Defaults, compose
from tasks.mail.problems import kind
from tests.unit.mail.samples import MESSAGE, composed, document, problems_of, read_back


WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"to": 5}, "to must be a string or a list of strings, not a number"),
    ({"cc": {}}, "cc must be a string or a list of strings, not a map"),
    ({"bcc": ["a@b", 5]}, "bcc.1 must be a string, not a number"),
    ({"from": ["a@b"]}, "from must be a string, not a list"),
    ({"replyTo": True}, "replyTo must be a string, not a boolean"),
    ({"headers": "X: y"}, "headers must be a map, not a string"),
    ({"headers": {"X-A": 5}}, "headers.X-A must be a string or a list of strings, not a number"),
    ({"headers": {"X-A": [5]}}, "headers.X-A.0 must be a string, not a number"),
    ({"message": "Hi"}, "message must be a map, not a string"),
    ({"transport": 5}, "transport must be a string, not a number"),
    ({"transport": "news"}, 'transport must be one of default, not "news"'),
    ({"message": [MESSAGE]}, "message must be a map, not a list"),
    ({"message": MESSAGE | {"subject": 5}}, "message.subject must be a string, not a number"),
    ({"message": MESSAGE | {"text": b"x"}}, "message.text must be a string, not binary"),
    ({"message": MESSAGE | {"html": 1.5}}, "message.html must be a string, not a number"),
    ({"message": MESSAGE | {"messageId": 5}}, "message.messageId must be a string, not a number"),
    ({"message": MESSAGE | {"attachments": {}}}, "message.attachments must be a list, not a map"),
    ({"message": MESSAGE | {"amp": 5}}, "message.amp must be a string, not a number"),
    ({"message": MESSAGE | {"icalEvent": 5}}, "message.icalEvent must be a map, not a number"),
    (
        {"message": MESSAGE | {"alternatives": 5}},
        "message.alternatives must be a list, not a number",
    ),
    (
        {"message": MESSAGE | {"alternatives": ["x"]}},
        "message.alternatives.0 must be a map, not a string",
    ),
    (
        {"message": MESSAGE | {"icalEvent": {"method": 5}}},
        "message.icalEvent.method must be a string, not a number",
    ),
    ({"template": "welcome"}, "template must be a map, not a string"),
    ({"sendGrid": 5}, "sendGrid must be a map, not a number"),
    ({"categories": 5}, "categories must be a string or a list of strings, not a number"),
    ({"toUids": "u1"}, "toUids must be a list, not a string"),
    ({"ccUids": {}}, "ccUids must be a list, not a map"),
    ({"bccUids": 5}, "bccUids must be a list, not a number"),
    (
        {"toUids": [None, {"$ne": 1}]},
        "toUids.1 must be a string, a number, an ObjectId or binary, not a map",
    ),
    (
        {"toUids": [Regex(".")]},
        "toUids.0 must be a string, a number, an ObjectId or binary, not a regular expression",
    ),
    (
        {"ccUids": [True]},
        "ccUids.0 must be a string, a number, an ObjectId or binary, not a boolean",
    ),
    ({"bccUids": ["x" * 1025]}, "bccUids.0 is longer than 1024 characters"),
    ({"sendAt": "2024-01-01"}, "sendAt must be a date, not a string"),
    ({"deliverBefore": Timestamp(1, 1)}, "deliverBefore must be a date, not a timestamp"),
    ({"priority": "urgent"}, "priority must be 'high', 'normal' or 'low'"),
    ({"transport": 5}, "transport must be a string, not a number"),
    ({"dsn": True}, "dsn must be a map, not a boolean"),
    ({"list": []}, "list must be a map, not a list"),
]

ATTACHMENT_TYPES: list[tuple[Any, str]] = [
    ("x", " must be a map, not a string"),
    ({"filename": 5}, ".filename must be a string or false, not a number"),
    ({"filename": True}, ".filename must be a string or false, not a boolean"),
    ({"filename": "x" * 256}, ".filename is longer than 255 characters"),
    ({"content": 5}, ".content must be a string or binary, not a number"),
    ({"encoding": 5}, ".encoding must be a string, not a number"),
    ({"contentType": 5}, ".contentType must be a string, not a number"),
    ({"contentDisposition": 5}, ".contentDisposition must be a string, not a number"),
    ({"cid": 5}, ".cid must be a string, not a number"),
    ({"headers": "x"}, ".headers must be a map, not a string"),
    ({"headers": {"X-A": 5}}, ".headers.X-A must be a string or a list of strings, not a number"),
    ({"path": 5}, ".path must be a string, not a number"),
    ({"href": 5}, ".href must be a string, not a number"),
    ({"httpHeaders": 5}, ".httpHeaders must be a map, not a number"),
    ({"raw": 5}, ".raw must be a string or binary, not a number"),
    ({"gridfs": [1]}, ".gridfs must be a string, a number, an ObjectId or binary, not a list"),
    ({"httpHeaders": {"A": 5}}, ".httpHeaders.A must be a string, not a number"),
    ({"httpHeaders": {"Host": "x"}}, '.httpHeaders must not have the header "Host"'),
    ({"httpHeaders": {"a b": "x"}}, '.httpHeaders must not have the header "a b"'),
    ({"httpHeaders": {"A": "ü"}}, '.httpHeaders has a value of "A" that is not printable ASCII'),
    (
        {"httpHeaders": {"A": "b\r\nHost: c"}},
        ".httpHeaders.A must not contain a line break (CR or LF) or NUL",
    ),
]


@pytest.mark.parametrize(("fields", "problem"), WRONG_TYPES)
def test_wrong_type(fields: dict[str, Any], problem: str) -> None:
    """A value of a wrong type is named by its path, what it must be and what it is."""
    assert problems_of(**fields) == [problem]


CODE = Code("a@b.example")
CODE_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"to": CODE}, "to"),
    ({"cc": [CODE]}, "cc.0"),
    ({"from": CODE}, "from"),
    ({"idempotencyKey": CODE}, "idempotencyKey"),
    ({"headers": {"X-A": CODE}}, "headers.X-A"),
    ({"message": {"subject": "x", "text": CODE}}, "message.text"),
]


@pytest.mark.parametrize(("fields", "path"), CODE_FIELDS)
def test_code_is_no_string(fields: dict[str, Any], path: str) -> None:
    """The driver's class for JavaScript code is one of Python's strings."""
    assert problems_of(**fields) == [f"{path} must be a string, not JavaScript code"]


@pytest.mark.parametrize("value", [0, False, [], 0.0], ids=repr)
def test_nothing_of_a_wrong_type_is_wrong_too(value: Any) -> None:
    """Only null means absent."""
    [problem] = problems_of(message={"subject": "x", "text": "x", "icalEvent": value})

    assert problem.startswith("message.icalEvent must be a map, not a ")


@pytest.mark.parametrize(("attachment", "problem"), ATTACHMENT_TYPES)
def test_wrong_type_in_an_attachment(attachment: Any, problem: str) -> None:
    """The path of an attachment's problem holds its number."""
    attachments = [{"content": "right"}, attachment]

    problems = problems_of(message=MESSAGE | {"attachments": attachments})

    assert problems == [f"message.attachments.1{problem}"]


def test_all_wrong_types_at_once() -> None:
    """One attempt shows every wrong type."""
    assert problems_of(to=5, headers=[], message={"subject": 1, "text": 2}) == [
        "to must be a string or a list of strings, not a number",
        "headers must be a map, not a list",
        "message.subject must be a string, not a number",
        "message.text must be a string, not a number",
    ]


def test_all_wrong_values_at_once() -> None:
    """When the types are right, one attempt shows everything else that is wrong."""
    problems = problems_of(
        to="nobody",
        from_="me",
        headers={"To": "x"},
        message={"messageId": "x", "attachments": [{}]},
    )

    assert [re.split(r"[: ]", problem)[0] for problem in problems] == [
        "message.subject",
        "message.text,",
        "headers.To",
        "from",
        "message.messageId",
        "to",
        "message.attachments.0",
    ]


def test_many_problems_are_counted() -> None:
    """After twenty problems the rest is a number, so that the error stays readable."""
    problems = problems_of(to=[5] * 57)

    assert len(problems) == 21
    assert problems[-1] == "and 37 more"


def test_too_many_items() -> None:
    """A list of a million items is refused as a whole, at once."""
    many = {f"X-{number}": 5 for number in range(101)}

    assert problems_of(to=[5] * 10_001) == ["to has 10001 items; at most 10000 are allowed"]
    assert problems_of(headers=many) == ["headers has 101 items; at most 100 are allowed"]
    assert problems_of(message=MESSAGE | {"attachments": [5] * 501}) == [
        "message.attachments has 501 items; at most 500 are allowed"
    ]
    assert problems_of(message=MESSAGE | {"alternatives": [{}] * 21}) == [
        "message.alternatives has 21 items; at most 20 are allowed"
    ]
    assert problems_of(message=MESSAGE | {"attachments": [{"headers": many}]}) == [
        "message.attachments.0.headers has 101 items; at most 20 are allowed"
    ]


def test_values_are_not_shown() -> None:
    """A wrong value may be a secret: the error names its kind only."""
    secret = "correct horse"
    with pytest.raises(InvalidDocument) as caught:
        composed(message=[secret], headers=secret, priority=secret)

    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_null_is_absent() -> None:
    """null means absent, in every place, inside lists too."""
    attachment = dict.fromkeys(["filename", "encoding", "contentType", "cid", "headers", "path"])
    names = [*dict.fromkeys(name for fields, _ in WRONG_TYPES for name in fields)]
    fields = dict.fromkeys(names) | {
        "to": [None, "jo@example.org"],
        "headers": {"X-A": None, "X-B": [None, "b"]},
        "message": {
            **dict.fromkeys(["html", "messageId", "amp", "icalEvent", "alternatives"]),
            **MESSAGE,
            "attachments": [None, {"content": "x"} | attachment],
        },
    }

    mail = compose({"_id": 1} | fields, Defaults("a@b"), now=datetime.now(UTC))

    assert mail.recipients == ("jo@example.org",)
    assert b"X-B: b\r\n" in mail.content
    assert b"X-A" not in mail.content


def test_empty_lists_ask_for_nothing() -> None:
    """Empty lists are no error."""
    mail = composed(toUids=[], ccUids=[], message=MESSAGE | {"alternatives": [], "attachments": []})

    assert mail.recipients == ("jo@example.org",)


def test_unknown_keys_are_ignored() -> None:
    """Keys we do not know are the service's own business, whatever they hold."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}

    odd: dict[str, Any] = {"$odd.key": MinKey(), "delivery": 5, "categories": ["news"]}

    mail = composed(
        **odd,
        deep=deep,
        message=MESSAGE | {"deep": deep, "attachments": [{"content": "x", "deep": deep}]},
    )

    assert read_back(mail.content)["Subject"] == "Hello"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (Decimal128("1.5"), "a number"),
        ({}, "a map"),
        ([], "a list"),
        (Binary(b"x", 5), "binary"),
        (datetime.now(UTC), "a date"),
        (ObjectId(), "an ObjectId"),
        (Regex("x"), "a regular expression"),
        (DBRef("c", 1), "a DBRef"),
        (MinKey(), "a MinKey"),
    ],
)
def test_kinds_in_words(value: Any, words: str) -> None:
    """Kinds of values are named as MongoDB's manual names them."""
    assert kind(value) == words


def test_keys_in_paths_are_quoted() -> None:
    """A key with a dot or of great length cannot be mistaken for a path, nor flood the error."""
    keys = problems_of(headers={"a.b": 5, "x" * 500: 5})

    assert keys[0].startswith('headers."a.b" must be')
    assert len(keys[1]) < 150


@pytest.mark.parametrize("message", [None, {}, {"subject": "s"}, {"subject": "s", "html": ""}])
def test_no_content(message: Any) -> None:
    """Without a message, or without a text, there is no mail: an error, never a silent no-op."""
    assert any("message" in problem for problem in problems_of(message=message))


def test_no_subject() -> None:
    """A missing subject is an error; an empty one is the service's wish."""
    assert problems_of(message={"text": "x"}) == ["message.subject is missing"]
    assert read_back(composed(message={"subject": "", "text": "x"}).content)["Subject"] == ""


@pytest.mark.parametrize("field", ["subject", "text", "html", "messageId"])
def test_lone_surrogates(field: str) -> None:
    """Half a surrogate pair is no Unicode; it is an error, not a crash."""
    (problem,) = problems_of(message=MESSAGE | {field: "\ud800"})

    assert problem == f"message.{field} is not valid Unicode: it holds half of a surrogate pair"


@pytest.mark.parametrize("character", ["\r", "\n", "\r\n", "\0"])
def test_line_breaks_in_header_values(character: str) -> None:
    """A line break in anything that goes into a header is an error naming the field."""
    evil = f"x{character}Bcc: victim@example.net"
    attachment = {
        "content": "x",
        **dict.fromkeys(["filename", "contentType", "cid", "encoding", "contentDisposition"], evil),
        "headers": {"X-A": evil},
    }

    problems = problems_of(
        to=[evil],
        cc=evil,
        bcc=evil,
        from_=evil,
        replyTo=evil,
        headers={"X-A": evil, "X-B": [evil]},
        message=MESSAGE | {"subject": evil, "messageId": evil, "attachments": [attachment]},
    )

    text = " must not contain a line break (CR or LF) or NUL"
    assert {problem.removesuffix(text) for problem in problems} == {
        *("to.0", "cc", "bcc", "from", "replyTo", "headers.X-A", "headers.X-B.0"),
        *("message.subject", "message.messageId"),
        *(f"message.attachments.0.{name}" for name in attachment if name != "content"),
    } - {"message.attachments.0.headers"} | {"message.attachments.0.headers.X-A"}


def test_default_pymongo_types_are_accepted() -> None:
    """What pymongo hands out for BSON strings, binary and dates is what is wanted."""
    mail = composed(
        sendAt=datetime(2024, 1, 1),  # noqa: DTZ001
        priority="high",
        message=MESSAGE | {"attachments": [{"content": Binary(b"\xff", 0)}]},
    )

    (part,) = read_back(mail.content).iter_attachments()
    assert part.get_content() == b"\xff"
    assert document()["_id"] == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": 5}, "WRONG_TYPE"),
        ({"sendAt": "x"}, "WRONG_TYPE"),
        ({"priority": "urgent"}, "INVALID_VALUE"),
        ({"headers": {"To": "x"}}, "INVALID_VALUE"),
        ({"message": None}, "MISSING"),
        ({"message": MESSAGE | {"attachments": [{}]}}, "MISSING"),
        ({"headers": {f"X-{number}": "x" for number in range(101)}}, "TOO_LARGE"),
        ({"to": "nobody"}, "INVALID_ADDRESS"),
        ({"to": None}, "NO_RECIPIENT"),
        ({"toUids": ["u1"]}, "NEEDS_SETTING"),
    ],
)
def test_codes(fields: dict[str, Any], code: str) -> None:
    """A program learns from the code what kind of problem it is."""
    with pytest.raises(InvalidDocument) as caught:
        composed(**fields)

    assert [each.code for each in caught.value.details] == [code]
