"""toUids, ccUids, bccUids: users' addresses, added to those the document names itself."""

from __future__ import annotations

from typing import Any

from tasks.errors import ProblemCode
from tasks.mail import addresses
from tasks.mail.address_list import AddressList
from tasks.mail.addresses import InvalidAddress, Mailbox
from tasks.mail.gathered import Gathered
from tasks.mail.problems import Problems
from tasks.mail.schema import Document


def add(
    lists: dict[str, AddressList], document: Document, gathered: Gathered, problems: Problems
) -> list[tuple[str, Any]]:
    """Put them behind the others of `lists` ("to", "cc", "bcc"); return the missing (field, uid).

    A user who stands in `to` or `cc` already is not shown there again.
    """
    if not (document.to_uids or document.cc_uids or document.bcc_uids):
        return []
    fields = {"to": document.to_uids, "cc": document.cc_uids, "bcc": document.bcc_uids}
    missing: list[tuple[str, Any]] = []
    shown = {addresses.key(each.address) for name in ("to", "cc") for each in lists[name].mailboxes}
    for name, uids in fields.items():
        given = [uid for uid in uids or () if uid is not None]
        if given and gathered.emails is None:
            what = "needs the setting USERS_COLLECTION"
            problems.add(f"{name}Uids", what, ProblemCode.NEEDS_SETTING)
            continue
        for uid in dict.fromkeys(given):
            email = (gathered.emails or {}).get(uid)
            if email is None:
                missing.append((f"{name}Uids", uid))
            else:
                _add(lists[name], email, shown)
    return missing


def _add(found: AddressList, email: str, shown: set[str]) -> None:
    # One address: `email` is the user's to write, and a list in it would reach others.
    try:
        mailbox = Mailbox(addresses.parse(email.strip()))
    except InvalidAddress as error:
        found.invalid.append((email, str(error)))
        return
    key = addresses.key(mailbox.address)
    if key not in shown:
        shown.add(key)
        found.entries.append(mailbox)
