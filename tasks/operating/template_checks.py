"""What is wrong with templates, before a mail finds out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.mail import handlebars
from tasks.mail.handlebars import TemplateError
from tasks.mail.inline_css import inline
from tasks.mail.problems import quote
from tasks.mail.templates import Library, attachments, faults
from tasks.mail.templates.rendering import Unrenderable, message
from tasks.mail.templates.template import Template


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a template: its field, and what was compiled of it, or why nothing was."""

    field: str
    compiled: handlebars.Template | None
    fault: str | None = None

    @property
    def environment(self) -> str:
        """The field whose partials it uses."""
        return "text" if self.field.startswith("attachments") else self.field


def parts(template: Template, library: Library) -> list[Part]:
    """Compile every text of a template."""
    texts = [*template.texts.items(), *attachments.texts(template.attachments or ())]
    return [_part(template, library, field, text) for field, text in texts]


def faults_of(
    template: Template, library: Library, *, render: bool = True, inline_css: bool = False
) -> list[str]:
    """List what is wrong with a template; `render`: try it with its sample as well."""
    found = list(template.faults)
    if template.sample is not None and not isinstance(template.sample, dict):
        found.append("sample must be a map")
    compiled = parts(template, library)
    found += [part.fault for part in compiled if part.fault]
    found += [fault for part in compiled for fault in _missing(part, library)]
    if found or not render or (template.partial and template.sample is None):
        return found  # a partial alone does not know its context
    return list(_rendering(template, library, inline_css=inline_css))


def hidden(library: Library) -> Iterator[tuple[Template, str]]:
    """Give the templates that are never used, and why."""
    for template, first in library.hidden:
        id = quote(str(first.id))
        yield template, f"is never used: the document with _id {id} has the same name"


def _part(template: Template, library: Library, field: str, text: str) -> Part:
    try:
        return Part(field, template.compiled(field, text, library.limits))
    except TemplateError as error:
        return Part(field, None, faults.words(error, field))


def _missing(part: Part, library: Library) -> Iterator[str]:
    if part.compiled is None:
        return
    known = set(library.partials[part.environment])
    for name in sorted(part.compiled.required - known):
        yield f"{part.field}: there is no partial {quote(name)} with a {part.environment}"


def _rendering(template: Template, library: Library, *, inline_css: bool) -> Iterator[str]:
    try:
        html = message(template, library, template.sample, path="sample").html
    except Unrenderable as error:
        for problem in error.problems:
            yield problem.removeprefix(f"{quote(template.name)}, ").removeprefix(
                f"{quote(template.name)}: "
            )
    else:
        if inline_css and html:
            try:
                inline(html)
            except ValueError as error:
                yield f"html {error}"
