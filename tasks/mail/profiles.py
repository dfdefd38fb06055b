"""Which transport a document asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.mail.defaults import Defaults


class Profiles:
    """What the settings say about the mails of each transport; the first is the default one."""

    def __init__(self, profiles: Sequence[Defaults]) -> None:
        self._profiles = {profile.transport: profile for profile in profiles}
        self._first = profiles[0]
        letters = [profile for profile in profiles if profile.letters]
        self._send_grid = letters[0] if letters else profiles[0]

    def __getitem__(self, transport: str) -> Defaults:
        return self._profiles[transport]

    def of(self, document: Mapping[str, Any]) -> Defaults:
        """Choose by the document; whatever is wrong there is found when it is read."""
        asked = document.get("transport")
        first = self._first if document.get("sendGrid") is None else self._send_grid
        if not isinstance(asked, str):
            return first
        return self._profiles.get(name(asked), first)


def name(text: str) -> str:
    """Give a transport's name as the settings have it."""
    return text.strip().lower()
