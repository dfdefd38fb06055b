"""Who gets the mail: to, cc, bcc and users → the envelope, and those who can get none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tasks.envelope import Rejection
from tasks.errors import ProblemCode
from tasks.mail import address_list, addresses, users
from tasks.mail.address_list import AddressList
from tasks.mail.fields import lines
from tasks.mail.gathered import Gathered
from tasks.mail.problems import Problems, quote
from tasks.mail.schema import Document


#: Of an invalid address, no more than this is repeated in `delivery`.
_MAX_SHOWN = 254


@dataclass(frozen=True, slots=True)
class Recipients:
    """`to` and `cc` go into the headers; `envelope` holds every address once, bcc included."""

    to: AddressList
    cc: AddressList
    envelope: tuple[str, ...]
    rejected: tuple[Rejection, ...]
    missing_uids: tuple[Any, ...]


def read(
    document: Document, gathered: Gathered, max_recipients: int, problems: Problems
) -> Recipients:
    """Read the fields; without a single valid address, that is a problem."""
    before = len(problems)
    fields = {"to": document.to, "cc": document.cc, "bcc": document.bcc}
    lists = {name: _read_field(name, lines(value), problems) for name, value in fields.items()}
    missing = users.add(lists, document, gathered, problems)
    envelope = _unique(lists.values())
    invalid = {text: reason for found in lists.values() for text, reason in found.invalid}
    count = sum(len(found.mailboxes) + len(found.invalid) for found in lists.values())
    if count > max_recipients:
        what = f"{count} recipients, and MAX_RECIPIENTS is {max_recipients}"
        problems.add("to, cc, bcc:", what, ProblemCode.TOO_LARGE)
    elif not envelope and len(problems) == before:
        _add_problems(lists, missing, problems)
    rejected = tuple(
        Rejection(_shortened(text), None, f"Invalid address: {reason}.")
        for text, reason in invalid.items()
    )
    uids = dict.fromkeys(uid for _, uid in missing) if missing else ()
    return Recipients(lists["to"], lists["cc"], envelope, rejected, tuple(uids))


def _unique(lists: Iterable[AddressList]) -> tuple[str, ...]:
    """Give every address once, in order, as it was written first."""
    unique: dict[str, str] = {}
    for found in lists:
        for mailbox in found.mailboxes:
            unique.setdefault(addresses.key(mailbox.address), mailbox.address)
    return tuple(unique.values())


def _read_field(name: str, texts: list[str], problems: Problems) -> AddressList:
    try:
        return address_list.parse(texts)
    except ValueError as error:
        problems.add(name, str(error), ProblemCode.INVALID_ADDRESS)
        return AddressList()


def _add_problems(
    lists: dict[str, AddressList], missing: list[tuple[str, Any]], problems: Problems
) -> None:
    invalid = [(name, *item) for name, found in lists.items() for item in found.invalid]
    for name, text, reason in invalid:
        what = f"{quote(text)} is no valid address: {reason}"
        problems.add(f"{name}:", what, ProblemCode.INVALID_ADDRESS)
    for name, uid in missing:
        what = f"there is no user {quote(str(uid))} with an email"
        problems.add(f"{name}:", what, ProblemCode.NO_RECIPIENT)
    if not invalid and not missing:
        problems.add("to, cc, bcc:", "no recipient", ProblemCode.NO_RECIPIENT)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
