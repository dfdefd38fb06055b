"""One document of TEMPLATES_COLLECTION."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import bson
from bson import Code

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits, TemplateError
from tasks.mail.problems import kind
from tasks.mail.templates.faults import engine_name


#: The fields that are templates.
TEXTS = ("subject", "text", "html", "amp")
#: Those whose values are escaped.
ESCAPED = frozenset({"html", "amp"})


@dataclass(frozen=True, slots=True)
class Template:
    """What the document says; it never changes, and keeps what was compiled of it."""

    id: Any
    name: str
    #: Whether its fields are partials for the others, and it cannot be sent itself.
    partial: bool
    #: Those of TEXTS that are there.
    texts: Mapping[str, str]
    #: None: the mail keeps its own.
    attachments: Sequence[Any] | None
    #: Data to try it with.
    sample: Any
    #: When the document says it was last changed.
    updated: datetime | None
    #: What cannot be a template, as "html must be a string, not a number".
    faults: tuple[str, ...]
    #: Text → what became of it. Threads may compile a text twice; both results are the same.
    _compiled: dict[tuple[str, str], handlebars.Template | TemplateError] = field(
        default_factory=dict, compare=False, repr=False
    )

    def compiled(self, where: str, text: str, limits: Limits) -> handlebars.Template:
        """Compile a text of this template, the first time; `where` is its field.

        Raises TemplateError, each time.
        """
        found = self._compiled.get((where, text))
        if found is None:
            found = self._compile(text, limits)
            self._compiled[where, text] = found
        if isinstance(found, TemplateError):
            # Another one each time: a traceback grows with every raise.
            raise TemplateError(*found.args)
        return found

    def _compile(self, text: str, limits: Limits) -> handlebars.Template | TemplateError:
        name = engine_name(self.name, partial=self.partial)
        try:
            return handlebars.compile(text, name=name, limits=limits)
        except TemplateError as error:
            return error.with_traceback(None)


def read(document: Mapping[str, Any]) -> Template:
    """Read a document, whatever it holds."""
    faults: list[str] = []
    name = document.get("name")
    if name is not None and not isinstance(name, str):
        faults.append(f"name must be a string, not {kind(name)}")
    partial = document.get("partial")
    if not isinstance(partial, bool | None):
        faults.append(f"partial must be true or false, not {kind(partial)}")
    attachments = document.get("attachments")
    if attachments is not None and not isinstance(attachments, list):
        faults.append(f"attachments must be a list, not {kind(attachments)}")
        attachments = None
    updated = document.get("updateTime")
    return Template(
        id=document.get("_id"),
        name=name_of(document),
        partial=partial is True,
        texts=dict(_texts(document, faults)),
        attachments=attachments,
        sample=document.get("sample"),
        updated=updated if isinstance(updated, datetime) else None,
        faults=tuple(faults),
    )


def name_of(document: Mapping[str, Any]) -> str:
    """Give the name by which mails and other templates know it: `name`, else its `_id`."""
    name = document.get("name")
    return name if isinstance(name, str) and name else str(document.get("_id"))


def order(id: Any) -> bytes:
    """Give what templates are ordered by: the same everywhere, ObjectIds by their time."""
    return bson.encode({"": id})


def _texts(document: Mapping[str, Any], faults: list[str]) -> Iterable[tuple[str, str]]:
    for each in TEXTS:
        text = document.get(each)
        if isinstance(text, str) and not isinstance(text, Code):
            if text:  # "" is none, as in the Firebase extension
                yield each, text
        elif text is not None:
            faults.append(f"{each} must be a string, not {kind(text)}")
