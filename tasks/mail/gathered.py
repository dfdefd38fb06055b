"""What a mail needs from elsewhere, and what came of it; `tasks.gathering` stands between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from tasks.mail.elsewhere import Elsewhere, elsewhere
from tasks.mail.schema import Alternative, Document, Message, Part, TemplateUse


_UIDS = ("toUids", "ccUids", "bccUids")
_PARTS = ("attachments", "alternatives")
_SOURCES = ("path", "href", "gridfs")

#: A part's path, such as ("message", "attachments", 0).
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class WantedFile:
    """The content of the part `key`; `http_headers` go with a request for it."""

    key: Key
    where: Elsewhere
    http_headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`uids`: of users whose address is wanted, each once. `template`: to be rendered first."""

    uids: tuple[Any, ...] = ()
    files: tuple[WantedFile, ...] = ()
    template: TemplateUse | None = None

    def __bool__(self) -> bool:
        return bool(self.uids or self.files or self.template)

    def with_message(self, rendered: Message) -> Wanted:
        """Give what is wanted when a template's attachments take the place of the message's."""
        if rendered.attachments is None:
            return self
        others = (each for each in self.files if each.key[1] != "attachments")
        return replace(self, files=(*_files(Message(attachments=rendered.attachments)), *others))


@dataclass(frozen=True, slots=True)
class File:
    """A file's content, and what its place says of it; "" for nothing."""

    data: bytes
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no file; `transient`: a later attempt may get it."""

    text: str
    transient: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """`emails`: uid → what stands in that user's `email`; None: there is no such collection.

    A file that is missing from `files` was not looked for: the setting that allows it is not set.
    `rendered`: what the template gives, or why it gives nothing; None: there are no templates.
    """

    emails: Mapping[Any, str] | None = None
    files: Mapping[Key, File | Fault] = field(default_factory=dict)
    rendered: Message | Sequence[str] | None = None


NOTHING_WANTED = Wanted()
NOTHING = Gathered()


def wanted(document: Mapping[str, Any]) -> Wanted:
    """Tell what the document needs; nothing when it is wrong, for `compose` says so."""
    if not _may_want(document):
        return NOTHING_WANTED
    try:
        model = Document.model_validate(dict(document))
    except ValidationError:
        return NOTHING_WANTED
    uids = [*(model.to_uids or ()), *(model.cc_uids or ()), *(model.bcc_uids or ())]
    files = _files(model.message) if model.message else ()
    return Wanted(
        uids=tuple(dict.fromkeys(uid for uid in uids if uid is not None)),
        files=tuple(files),
        template=model.template if model.template and model.template.name else None,
    )


def _may_want(document: Mapping[str, Any]) -> bool:
    """Tell quickly, for nearly every mail needs nothing."""
    if any(document.get(name) for name in (*_UIDS, "template")):
        return True
    message = document.get("message")
    if not isinstance(message, Mapping):
        return False
    lists = (message.get(name) for name in _PARTS)
    parts = [each for found in lists if isinstance(found, list) for each in found]
    return any(
        isinstance(part, Mapping) and any(part.get(name) is not None for name in _SOURCES)
        for part in (*parts, message.get("icalEvent"))
    )


def _files(message: Message) -> Iterator[WantedFile]:
    for key, part in _parts(message):
        raw = part.raw if isinstance(part, Alternative) else None
        where = elsewhere(part) if raw is None else None
        if where is not None:
            given = part.http_headers or {}
            headers = {name: text for name, text in given.items() if text is not None}
            yield WantedFile(key, where, headers)


def _parts(message: Message) -> Iterator[tuple[Key, Part]]:
    for name, parts in (
        ("attachments", message.attachments),
        ("alternatives", message.alternatives),
    ):
        for index, part in enumerate(parts or ()):
            if part is not None:
                yield ("message", name, index), part
    if message.ical_event:
        yield ("message", "icalEvent"), message.ical_event
