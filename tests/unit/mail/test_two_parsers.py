"""Whole documents, made at random, read back by two parsers that share no code."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.envelope import Mail
from tasks.mail import compose
from tasks.mail.gathered import Fault, File, Gathered, Key
from tests.support.mail_readers import Leaf, Node, Read, by_python, by_rust, ended
from tests.unit.mail.samples import DEFAULTS, NOW, document


TEXT = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn"))
#: Neither begins nor ends with white space, which some header fields do not keep.
LINE = st.text(TEXT, min_size=1, max_size=60).map(str.strip).filter(bool)
BODY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
ADDRESS = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z0-9+]{1,5})?@[a-z]{1,9}\.(org|test)", fullmatch=True)
NAME = LINE.map(lambda text: re.sub(" +", " ", text))
MAILBOX = st.tuples(st.just("") | NAME, ADDRESS)
TOKEN = st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True)
TYPE = st.sampled_from(["application/pdf", "image/png", "text/csv", "text/x-markdown"])

CONTENT = st.binary(max_size=200)
ATTACHMENT = st.fixed_dictionaries(
    {"content": CONTENT, "filename": LINE, "contentType": TYPE},
    optional={"cid": TOKEN, "contentDisposition": st.sampled_from(["inline", "attachment"])},
)
ALTERNATIVE = st.fixed_dictionaries({"content": CONTENT | BODY, "contentType": TYPE})
EVENT = st.fixed_dictionaries(
    {"content": BODY.map(lambda text: f"BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR\r\n")},
    optional={"filename": LINE | st.just(False), "method": st.sampled_from(["REQUEST", "CANCEL"])},
)
MESSAGE = st.fixed_dictionaries(
    {
        "subject": LINE,
        "text": st.just("") | BODY,
        "html": BODY,
        "messageId": TOKEN.map(lambda token: f"<{token}@example.com>"),
    },
    optional={
        "amp": BODY,
        "attachments": st.lists(ATTACHMENT, max_size=3),
        "alternatives": st.lists(ALTERNATIVE, max_size=2),
        "icalEvent": EVENT,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {"to": st.lists(MAILBOX, min_size=1, max_size=3), "from": MAILBOX, "message": MESSAGE},
    optional={
        "cc": st.lists(MAILBOX, min_size=1, max_size=2),
        "bcc": st.lists(MAILBOX, min_size=1, max_size=2),
        "replyTo": MAILBOX,
        "headers": st.dictionaries(
            TOKEN.map(lambda token: f"X-T-{token}"), LINE | st.lists(LINE, max_size=2), max_size=3
        ),
    },
)


@settings(max_examples=200)
@given(plan=DOCUMENT)
def test_two_parsers_read_what_was_written(plan: dict[str, Any]) -> None:
    """Every field and every byte arrive, in the order that stands in the document."""
    _check(plan, _composed(plan))


@settings(max_examples=50)
@given(plan=DOCUMENT)
def test_files_from_elsewhere_make_the_same_mail(plan: dict[str, Any]) -> None:
    """It makes no difference whether a file stands in the document or was gathered."""
    attachments = plan["message"].get("attachments", [])
    message = {
        **plan["message"],
        "attachments": [{**each, "content": None, "path": "x"} for each in attachments],
    }
    files: dict[Key, File | Fault] = {
        ("message", "attachments", index): File(each["content"], "other.zip", "other/type")
        for index, each in enumerate(attachments)
    }

    _check(plan, _composed({**plan, "message": message}, Gathered(files=files)))


def _composed(plan: dict[str, Any], gathered: Gathered | None = None) -> Mail:
    lists = {name: [_written(each) for each in plan.get(name, [])] for name in ("to", "cc", "bcc")}
    single = {name: _written(plan[name]) for name in ("from", "replyTo") if name in plan}
    whole = document() | plan | lists | single
    return compose(whole, DEFAULTS, now=NOW, gathered=gathered or Gathered())


def _written(mailbox: tuple[str, str]) -> str:
    name, address = mailbox
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def _check(plan: dict[str, Any], mail: Mail) -> None:
    names = list(plan.get("headers", {}))
    expected = _expected(plan)
    everyone = [*plan["to"], *plan.get("cc", []), *plan.get("bcc", [])]
    assert mail.recipients == tuple(dict.fromkeys(address for _, address in everyone))
    forms = [mail.content, *([mail.seven_bit()] if mail.seven_bit else [])]
    for content in forms:
        assert by_python(content, names) == expected
        assert by_rust(content, names) == expected
        assert max(map(len, content.split(b"\r\n"))) <= 998
        head = content.partition(b"\r\n\r\n")[0]
        assert max(map(len, head.split(b"\r\n"))) <= 78
    assert forms[-1].isascii()


def _expected(plan: dict[str, Any]) -> Read:
    headers = plan.get("headers", {})
    return Read(
        sender=[plan["from"]],
        to=plan["to"],
        cc=plan.get("cc", []),
        reply_to=[plan["replyTo"]] if "replyTo" in plan else [],
        subject=plan["message"]["subject"],
        message_id=plan["message"]["messageId"],
        more={
            name: [value] if isinstance(value, str) else value for name, value in headers.items()
        },
        body=ended(_tree(plan["message"])),
    )


def _tree(message: dict[str, Any]) -> Node:
    files = message.get("attachments", [])
    inline = [_file(each, "inline") for each in files if "cid" in each]
    attached = [_file(each, "attachment") for each in files if "cid" not in each]
    forms: list[Node] = [
        _text(f"text/{kind}", message.get(name, ""))
        for name, kind in (("text", "plain"), ("amp", "x-amp-html"))
        if message.get(name)
    ]
    forms.append(_join("related", [_text("text/html", message["html"]), *inline]))
    if event := message.get("icalEvent"):
        forms.append(_text("text/calendar", event["content"]))
        if event.get("filename") is not False:
            content = _crlf(event["content"])
            name = event.get("filename", "invite.ics")
            attached.append(Leaf("application/ics", content, name, "attachment", ""))
    forms += [_alternative(each) for each in message.get("alternatives", [])]
    return _join("mixed", [_join("alternative", forms), *attached])


def _join(subtype: str, nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else (f"multipart/{subtype}", tuple(nodes))


def _text(type: str, text: str) -> Leaf:
    return Leaf(type, _crlf(text), "", "", "")


def _alternative(given: dict[str, Any]) -> Leaf:
    type, content = given["contentType"], given["content"]
    data = content.encode() if isinstance(content, str) else content
    if type.startswith("text/"):
        try:
            return _text(type, data.decode())
        except UnicodeDecodeError:
            pass
    return Leaf(type, data, "", "", "")


def _file(given: dict[str, Any], disposition: str) -> Leaf:
    return Leaf(
        given["contentType"],
        given["content"],
        given["filename"],
        given.get("contentDisposition", disposition),
        f"<{given['cid']}>" if "cid" in given else "",
    )


def _crlf(text: str) -> bytes:
    return "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode()
