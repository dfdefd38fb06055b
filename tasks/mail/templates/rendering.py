"""A mail's `template` → its message."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from tasks.mail import problems
from tasks.mail.handlebars import Allowance, TemplateError
from tasks.mail.problems import quote
from tasks.mail.schema import Message, TemplateUse
from tasks.mail.template_values import template_data
from tasks.mail.templates import attachments
from tasks.mail.templates.faults import words
from tasks.mail.templates.library import Library
from tasks.mail.templates.template import ESCAPED, Template


#: A line break in a subject, with the white space around it.
_LINE_BREAK = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")

#: The bounds of the mail as a whole: once one is reached, no further field is tried.
_SHARED = ("steps", "output_size", "seconds")


class Unrenderable(Exception):
    """There is no message; `problems`: why, each to follow the word "template"."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def render(use: TemplateUse, library: Library) -> Message:
    """Render the template a mail names, with that mail's data.

    The message has the fields that the template has, and no others. Raises Unrenderable.
    """
    name = use.name or ""
    template = library.templates.get(name)
    if template is None:
        raise Unrenderable([_missing(name, library)])
    return message(template, library, use.data)


def message(
    template: Template, library: Library, data: Any, path: str = "template.data"
) -> Message:
    """Render a template, within the bounds of one mail. `path` is what errors call the data.

    Raises Unrenderable.
    """
    if template.faults:
        raise _unrenderable(template, template.faults)
    try:
        values = template_data({} if data is None else data, path=path)
    except TemplateError as error:
        raise Unrenderable([f"{quote(template.name)}: {error.message}"]) from None
    rendering = _Rendering(template, library, values)
    fields = rendering.fields()
    if rendering.faults:
        raise _unrenderable(template, rendering.faults)
    try:
        return Message.model_validate(fields)
    except ValidationError as error:
        # From None: the cause would show the mail's content.
        raise _unrenderable(template, problems.of_schema(error).problems) from None


class _Rendering:
    """One rendering of all fields."""

    def __init__(self, template: Template, library: Library, data: Any) -> None:
        self._template = template
        self._library = library
        self._data = data
        self._left = Allowance(library.limits)
        self._over = False
        self.faults: list[str] = []

    def fields(self) -> dict[str, Any]:
        template = self._template
        found: dict[str, Any] = {
            field: self._text(text, field, field) for field, text in template.texts.items()
        }
        if "subject" in found:
            found["subject"] = one_line(found["subject"])
        if template.attachments is not None:
            found["attachments"] = attachments.rendered(
                template.attachments,
                # They are no HTML: URLs and names stay as they are.
                lambda text, where: self._text(text, where, "text"),
            )
        return found

    def _text(self, text: str, where: str, environment: str) -> str:
        if self._over:
            return ""
        library = self._library
        try:
            return self._template.compiled(where, text, library.limits).render(
                self._data,
                partials=library.partials[environment],
                escape=environment in ESCAPED,
                limits=self._left,
            )
        except TemplateError as error:
            self.faults.append(words(error, where))
            self._over = error.bound in _SHARED
            return ""


def one_line(subject: str) -> str:
    """Put a subject on one line: files end in a line break, and names in data may have some."""
    return _LINE_BREAK.sub(" ", subject.strip("\r\n"))


def _unrenderable(template: Template, faults: list[str] | tuple[str, ...]) -> Unrenderable:
    return Unrenderable([f"{quote(template.name)}, {fault}" for fault in faults])


def _missing(name: str, library: Library) -> str:
    if library.is_partial(name):
        return f"{quote(name)} is a partial, for other templates to use"
    closest = library.closest(name)
    hint = f"; the closest name is {quote(closest)}" if closest else ""
    return f"{quote(name)} is not in TEMPLATES_COLLECTION{hint}"
