"""A mail in parts, for a service that writes the mail itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """An address, its domain in ASCII, and the name shown with it ("" for none)."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of the text: "text/html" and its HTML."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; `content` in base64, without line ends."""

    name: str
    type: str
    disposition: str
    content: str
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands in the mail, but for who else gets it: that is the envelope's business."""

    sender: Person
    reply_to: tuple[Person, ...]
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    subject: str
    #: The best last.
    forms: tuple[Form, ...]
    files: tuple[File, ...]
    #: Values are ready for the wire, on one line.
    headers: Mapping[str, str]
    categories: tuple[str, ...] = ()
    #: The document's `sendGrid`, of values that JSON knows.
    send_grid: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it is."""
        texts = sum(len(form.text.encode()) for form in self.forms)
        return texts + sum(len(file.content) for file in self.files)
