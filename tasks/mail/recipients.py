"""Who gets the mail: to, cc and bcc → the envelope, and those who can get none."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.envelope import Rejection
from tasks.mail import address_list, addresses
from tasks.mail.address_list import AddressList
from tasks.mail.fields import lines
from tasks.mail.problems import Problems, quote
from tasks.mail.schema import Document


#: More would not fit back into the document, where each stands again in `delivery.info`; SMTP
#: servers take 100 to 1000 at once (RFC 5321 4.5.3.1.8).
MAX_RECIPIENTS = 10_000
#: Reading a longer text would cost the worker seconds, whatever it holds.
_MAX_TEXT = 2_000_000
#: Of an invalid address, no more than this is repeated in `delivery`.
_MAX_SHOWN = 254


@dataclass(frozen=True, slots=True)
class Recipients:
    """`to` and `cc` go into the headers; `envelope` holds every address once, bcc included."""

    to: AddressList
    cc: AddressList
    envelope: tuple[str, ...]
    rejected: tuple[Rejection, ...]


def read(document: Document, problems: Problems) -> Recipients:
    """Read the three fields; without a single valid address, that is a problem."""
    lists = {
        "to": _read_field("to", lines(document.to), problems),
        "cc": _read_field("cc", lines(document.cc), problems),
        "bcc": _read_field("bcc", lines(document.bcc), problems),
    }
    unique = {
        addresses.key(mailbox.address): mailbox.address
        for found in reversed(lists.values())
        for mailbox in reversed(found.mailboxes)
    }
    envelope = tuple(reversed(unique.values()))
    invalid = {text: reason for found in lists.values() for text, reason in found.invalid}
    if len(envelope) + len(invalid) > MAX_RECIPIENTS:
        problems.add("to, cc, bcc:", f"more than {MAX_RECIPIENTS} recipients in one mail")
    elif not envelope:
        _add_problems(lists, problems)
    rejected = tuple(
        Rejection(_shortened(text), None, f"Invalid address: {reason}.")
        for text, reason in invalid.items()
    )
    return Recipients(lists["to"], lists["cc"], envelope, rejected)


def _read_field(name: str, texts: list[str], problems: Problems) -> AddressList:
    if sum(map(len, texts)) > _MAX_TEXT:
        problems.add(name, f"is longer than {_MAX_TEXT} characters")
        return AddressList()
    return address_list.parse(texts)


def _add_problems(lists: dict[str, AddressList], problems: Problems) -> None:
    invalid = [(name, *item) for name, found in lists.items() for item in found.invalid]
    for name, text, reason in invalid:
        problems.add(f"{name}:", f"{quote(text)} is no valid address: {reason}")
    if not invalid:
        problems.add("to, cc, bcc:", "no recipient")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
