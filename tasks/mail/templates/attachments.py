"""A template's attachments, rendered field by field: no value can break another field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.mail.problems import path


#: Renders a text; the second is its field, as "attachments.0.filename".
RenderText = Callable[[str, str], str]

#: A text without it says the same rendered or not.
_TAG = "{{"


def rendered(attachments: Sequence[Any], render: RenderText) -> list[Any]:
    """Copy them, with every text rendered that has a tag. Keys stay as they are."""
    return [_value(each, ("attachments", i), render) for i, each in enumerate(attachments)]


def texts(attachments: Sequence[Any]) -> list[tuple[str, str]]:
    """List the texts that have a tag, each with its field."""
    found: list[tuple[str, str]] = []

    def note(text: str, where: str) -> str:
        found.append((where, text))
        return text

    rendered(attachments, note)
    return found


def _value(value: Any, where: tuple[str | int, ...], render: RenderText) -> Any:
    if isinstance(value, str):
        return render(value, path(*where)) if _TAG in value else value
    if isinstance(value, Mapping):
        return {key: _value(each, (*where, key), render) for key, each in value.items()}
    if isinstance(value, list):
        return [_value(each, (*where, i), render) for i, each in enumerate(value)]
    return value
