"""What the tests of composing share: a small document, and reading a mail back."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from tasks.envelope import Mail
from tasks.errors import InvalidDocument
from tasks.mail import Defaults, compose


NOW = datetime(2024, 3, 5, 8, 30, tzinfo=UTC)
DEFAULTS = Defaults("Shop <shop@example.com>", namespace="app.mail")
MESSAGE = {"subject": "Hello", "text": "Hi\n"}


def document(**fields: Any) -> dict[str, Any]:
    """A document that is right, but for the fields given; `from_` stands for `from`."""
    given = {name.rstrip("_"): value for name, value in fields.items()}
    return {"_id": 1, "to": "jo@example.org", "message": MESSAGE} | given


def composed(defaults: Defaults = DEFAULTS, **fields: Any) -> Mail:
    return compose(document(**fields), defaults, now=NOW)


def with_message(**fields: Any) -> Mail:
    return composed(message=MESSAGE | fields)


def attached(*attachments: Any, **fields: Any) -> Mail:
    return with_message(attachments=list(attachments), **fields)


def read_back(content: bytes) -> EmailMessage:
    parsed = BytesParser(policy=default).parsebytes(content)
    assert isinstance(parsed, EmailMessage)
    assert not [part.defects for part in parsed.walk() if part.defects]
    return parsed


def problems_of(**fields: Any) -> list[str]:
    """Compose a document that must be refused, and give what is wrong with it."""
    try:
        composed(**fields)
    except InvalidDocument as error:
        return error.problems
    raise AssertionError("the document was accepted")
