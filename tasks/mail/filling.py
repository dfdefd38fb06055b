"""A template's fields, put into the message."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.mail.problems import Problems
from tasks.mail.schema import Message, TemplateUse


_FIELDS = ("subject", "text", "html", "amp", "attachments")


def fill(
    message: Message | None,
    use: TemplateUse,
    rendered: Message | Sequence[str] | None,
    problems: Problems,
) -> Message:
    """Give the message with what the template has; that comes before the message's own.

    `rendered`: what became of the template, or why nothing did; None: there are no templates.
    """
    message = message or Message()
    if not use.name:
        problems.add("template", "has no name")
    elif rendered is None:
        problems.add("template", "needs the setting TEMPLATES_COLLECTION")
    elif isinstance(rendered, Message):
        found = {name: getattr(rendered, name) for name in _FIELDS}
        given = {name: value for name, value in found.items() if value is not None}
        return message.model_copy(update=given)
    else:
        for problem in rendered:
            problems.add("template", problem)
    return message
