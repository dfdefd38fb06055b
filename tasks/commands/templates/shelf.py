"""Templates as files: one text for each field, as they stand in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bson import json_util

from config.mongo import Document
from tasks.mail.templates import Library
from tasks.mail.templates.template import order


class Key(NamedTuple):
    """A template, or a partial."""

    name: str
    partial: bool = False

    def __str__(self) -> str:
        return f"partial {self.name}" if self.partial else self.name


#: The files of one template: name → content.
Files = Mapping[str, str]
Shelf = Mapping[Key, Files]

#: File → field.
TEXTS = {"subject.hbs": "subject", "text.hbs": "text", "html.hbs": "html", "amp.hbs": "amp"}
VALUES = {"attachments.json": "attachments", "sample.json": "sample"}
NAMES = (*TEXTS, *VALUES)

_JSON = json_util.RELAXED_JSON_OPTIONS


def of(library: Library, documents: Mapping[bytes, Document]) -> dict[Key, Files]:
    """Give the templates that are in use; `documents`: as they are, by `template.order`."""
    return {Key(each.name, each.partial): files(documents[order(each.id)]) for each in library}


def files(document: Document) -> dict[str, str]:
    """Write a document's fields as files. Those of another kind than text are left out."""
    found = {
        name: _line(text) if field == "subject" else text
        for name, field in TEXTS.items()
        if isinstance(text := document.get(field), str)
    }
    for name, field in VALUES.items():
        if (value := document.get(field)) is not None:
            found[name] = written(value)
    return found


def written(value: Any) -> str:
    """Write a value as JSON; what JSON has no form for in MongoDB's extended one."""
    return json_util.dumps(value, json_options=_JSON, indent=2, ensure_ascii=False) + "\n"


def fields(given: Files) -> dict[str, Any]:
    """Give the document's fields. Raises ValueError for JSON that is none."""
    found: dict[str, Any] = {}
    for name, field in TEXTS.items():
        if name in given:
            # Editors end a file in a line break, which has no business in a subject.
            found[field] = given[name].rstrip("\r\n") if field == "subject" else given[name]
    for name, field in VALUES.items():
        if name in given:
            try:
                found[field] = json_util.loads(given[name], json_options=_JSON)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{name}: {error}") from error
    return found


def _line(text: str) -> str:
    return text.rstrip("\r\n") + "\n"
