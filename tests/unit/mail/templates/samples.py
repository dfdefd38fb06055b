"""What the tests of templates share: a library, and mails composed by it."""

from __future__ import annotations

from typing import Any

from tasks.envelope import Mail
from tasks.errors import InvalidDocument
from tasks.mail import compose
from tasks.mail.gathered import Gathered, wanted
from tasks.mail.handlebars import Limits
from tasks.mail.schema import Message
from tasks.mail.templates import Library, render
from tasks.mail.templates.rendering import Unrenderable
from tasks.mail.templates.template import read
from tests.unit.mail.samples import DEFAULTS, NOW, document


def library(*documents: dict[str, Any], **limits: Any) -> Library:
    return Library([read(each) for each in documents], Limits(**limits))


def compose_by(
    shelf: Library | None, name: str | None = "t", data: Any = None, **given: Any
) -> Mail:
    """Compose a mail with that template, as a worker does."""
    fields = {"message": None, "template": {"name": name, "data": data}} | given
    whole = document(**fields)
    asked = wanted(whole)
    rendered: Message | list[str] | None = None
    if shelf is not None and asked.template is not None:
        try:
            rendered = render(asked.template, shelf)
        except Unrenderable as error:
            rendered = error.problems
    return compose(whole, DEFAULTS, now=NOW, gathered=Gathered(rendered=rendered))


def faults(
    shelf: Library | None, name: str | None = "t", data: Any = None, **given: Any
) -> list[str]:
    """Compose a mail that must be refused, and give what is wrong with it."""
    try:
        compose_by(shelf, name, data, **given)
    except InvalidDocument as error:
        return error.problems
    raise AssertionError("the document was accepted")
