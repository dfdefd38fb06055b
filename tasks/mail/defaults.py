"""What the settings say when the document does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defaults:
    """`sender` and `reply_to` are addresses, with or without a name.

    `namespace` ("database.collection") tells mails apart whose documents have the same `_id` in
    different collections; it goes, hashed, into the Message-ID.
    """

    sender: str
    reply_to: str | None = None
    namespace: str = ""
