"""Mails as JSON for the page: a line of the table, and the whole of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.mongo import Document
from console import flower, frame, history
from tasks.operating.changes import Kind
from tasks.operating.filters import NEW, STATES
from tasks.operating.mails import FEW, SHORT, Answer, Mail
from tasks.operating.records import moment


#: Characters of the text, and answers, that one page shows; the source has all.
LONGEST_TEXT, MOST_ANSWERS = 200_000, 1000

#: Those that got nothing first.
_ORDER = {"rejected": 0, "pending": 1, "accepted": 2}
_FOR = {
    Kind.RETRY: ("ERROR", "CANCELLED"),
    Kind.RESEND: ("SUCCESS",),
    Kind.CANCEL: (NEW, "PENDING", "RETRY"),
}


def line(mail: Mail) -> dict[str, Any]:
    """Make a line of the table, short whatever stands in the document."""
    return {
        "id": mail.name,
        "state": cut(mail.state),
        "known": mail.state in STATES,
        "start": moment(mail.start),
        "end": moment(mail.end),
        "recipients": [cut(each) for each in mail.recipients[:FEW]],
        "more": max(len(mail.recipients) - FEW, 0) + mail.uids,
        "subject": cut(mail.subject),
        "template": cut(mail.template),
        "transport": cut(mail.transport),
        "priority": cut(mail.priority),
        "attempts": mail.attempts,
        "error": cut(mail.error),
        "waitsFor": cut(mail.waits_for),
        "nextAttempt": moment(mail.next_attempt),
        "inDoubt": mail.in_doubt,
    }


def whole(
    mail: Mail,
    flower_url: str | None,
    rendered: Document | None = None,
    problems: Sequence[str] = (),
) -> dict[str, Any]:
    """Make all that the page of one mail shows.

    `rendered`: the document with what its template makes now, or `problems`: why it makes nothing.
    """
    content = mail.document if rendered is None else rendered
    text = frame.body(content, "text")
    worker = flower.worker(mail.worker)
    document = mail.document
    answers = sorted(mail.answers, key=lambda each: _ORDER[each.outcome])
    return {
        **line(mail),
        "subject": cut(frame.body(content, "subject")),
        "error": mail.error,
        "people": {name: _addresses(document.get(name)) for name in ("from", "to", "cc", "bcc")},
        "uids": mail.uids,
        "answers": [_answer(each) for each in answers[:MOST_ANSWERS]],
        "answerCount": len(answers),
        "messageId": cut(mail.message_id),
        "response": cut(mail.response),
        "worker": cut(mail.worker),
        "history": [
            {"text": step.text, "at": moment(step.at), "kind": step.kind}
            for step in history.steps(mail)
        ],
        "text": text and text[:LONGEST_TEXT],
        "textIsCut": bool(text and len(text) > LONGEST_TEXT),
        "hasHtml": bool(frame.body(content, "html")),
        "hasRemote": frame.wants_the_net(frame.body(content, "html") or ""),
        "attachments": attachments(content),
        "rendered": rendered is not None and not problems,
        "problems": [cut(each) for each in problems],
        "can": [kind.value for kind, states in _FOR.items() if mail.state in states],
        "flower": {
            "tasks": flower.tasks_of_mail(flower_url, mail.id),
            "worker": flower.tasks_of_worker(flower_url, worker),
        },
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "recipient": cut(answer.recipient),
        "outcome": answer.outcome,
        "code": answer.code,
        "response": cut(answer.response),
    }


def _addresses(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each[:SHORT] for each in values[:MOST_ANSWERS] if isinstance(each, str)]


def attachments(document: Mapping[str, Any]) -> list[str]:
    """Name them: the worker's files and the net are not looked at."""
    found = frame.attachments(document)
    names = (
        next((each[n] for n in ("filename", "path", "href", "cid") if _is_text(each.get(n))), "")
        for each in found[:FEW]
    )
    listed = [name[:SHORT] or "without a name" for name in names]
    return [*listed, f"and {len(found) - FEW} more"] if len(found) > FEW else listed


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def cut(text: str | None) -> str | None:
    """Shorten to what a line needs."""
    return text if text is None or len(text) <= SHORT else f"{text[:SHORT]}…"
