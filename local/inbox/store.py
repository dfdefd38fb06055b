"""The mails as files: `<id>.eml` as it came over SMTP, `<id>.json` with its envelope.

The envelope file is written last: a mail without it never arrived.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.inbox import headers, message


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the SMTP client said, apart from the mail itself; Bcc recipients stand only here."""

    sender: str
    recipients: tuple[str, ...]
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail's line in the list; `received_at` in ISO 8601, UTC; `size` in bytes."""

    id: str
    received_at: str
    envelope: Envelope
    sender_name: str
    sender_address: str
    subject: str
    message_id: str
    snippet: str
    attachments: int
    size: int

    def contains(self, words: str) -> bool:
        """Tell whether every word stands somewhere in the line; letter case does not matter."""
        people = " ".join((self.envelope.sender, *self.envelope.recipients))
        text = f"{self.sender_name} {self.sender_address} {people} {self.subject} {self.snippet}"
        return all(word in text.casefold() for word in words.casefold().split())


Listener = Callable[[], None]


class Store:
    """The newest mails of a folder, oldest first; tells its listeners of every change."""

    def __init__(self, directory: Path, *, limit: int = 1000) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._limit = limit
        self._entries = {entry.id: entry for entry in _read_all(directory)}
        self._listeners: set[Listener] = set()
        self._forget_oldest()

    def add(self, source: bytes, envelope: Envelope) -> Entry:
        """Keep a mail; raises OSError when it cannot be written."""
        now = datetime.now(UTC)
        id = f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"
        entry = _entry(id, now, envelope, source)
        (self._directory / f"{id}.eml").write_bytes(source)
        unfinished = self._directory / f"{id}.json.part"
        unfinished.write_text(json.dumps(asdict(entry), ensure_ascii=False), encoding="utf-8")
        unfinished.rename(self._directory / f"{id}.json")
        self._entries[id] = entry
        self._forget_oldest()
        self._tell()
        return entry

    def newest(self, words: str = "") -> list[Entry]:
        """List the mails, newest first; with `words`, those that contain them all."""
        return [entry for entry in reversed(self._entries.values()) if entry.contains(words)]

    def get(self, id: str) -> Entry | None:
        """Find one mail."""
        return self._entries.get(id)

    def source(self, id: str) -> bytes:
        """Read a mail as it came; raises KeyError for an unknown id."""
        return (self._directory / f"{self._entries[id].id}.eml").read_bytes()

    def delete(self, id: str) -> None:
        """Remove one mail; raises KeyError for an unknown id."""
        self._remove(self._entries[id].id)
        self._tell()

    def clear(self) -> None:
        """Remove every mail."""
        for id in list(self._entries):
            self._remove(id)
        self._tell()

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every change, until `ignore`."""
        self._listeners.add(listener)

    def ignore(self, listener: Listener) -> None:
        """Stop calling `listener`."""
        self._listeners.discard(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _forget_oldest(self) -> None:
        for id in list(self._entries)[: -self._limit]:
            self._remove(id)

    def _remove(self, id: str) -> None:
        del self._entries[id]
        for suffix in ("json", "eml"):
            (self._directory / f"{id}.{suffix}").unlink(missing_ok=True)


def _entry(id: str, now: datetime, envelope: Envelope, source: bytes) -> Entry:
    mail = message.parse(source)
    senders = headers.addresses(mail.message, "From")
    sender = senders[0] if senders else headers.Address("", envelope.sender)
    return Entry(
        id=id,
        received_at=now.isoformat(timespec="milliseconds"),
        envelope=envelope,
        sender_name=sender.name,
        sender_address=sender.address,
        subject=headers.value(mail.message, "Subject"),
        message_id=headers.value(mail.message, "Message-ID"),
        snippet=mail.snippet,
        attachments=sum(not part.inline for part in mail.parts),
        size=len(source),
    )


def _read_all(directory: Path) -> list[Entry]:
    entries = (_read(path) for path in sorted(directory.glob("*.json")))
    return [entry for entry in entries if entry]


def _read(path: Path) -> Entry | None:
    """Read an envelope; None for a damaged one (a power cut), which must not stop the inbox."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        envelope = stored.pop("envelope")
        recipients = tuple(envelope.pop("recipients"))
        return Entry(envelope=Envelope(recipients=recipients, **envelope), **stored)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("%s is left out, it is not an envelope: %r", path, error)
        return None
