"""Recipients that must not get mail: addresses kept by people, and added by hard bounces."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import idna
from pymongo import UpdateOne
from pymongo.collection import Collection

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import results
from tasks.envelope import Rejection
from tasks.errors import MailError
from tasks.outcome import Outcome
from tasks.screening.screen import Prepared, Screened


#: Addresses in one query: a mail may have 10,000 recipients.
_PAGE = 5_000
#: Characters of a reason that are repeated in the mail's document.
_SHOWN = 200


class Suppressions:
    """The collection `SUPPRESSIONS_COLLECTION`: {_id: address in lower case, reason, at}."""

    def __init__(self, collection: Collection[Document], now: Now) -> None:
        self._collection = collection
        self._now = now

    def screen(self, group: Sequence[Prepared]) -> Screened:
        """Leave out suppressed recipients: one query for the group. Raises PyMongoError."""
        recipients = (each for prepared in group for each in prepared.mail.recipients)
        reasons = self._reasons(recipients)
        screened = Screened()
        for prepared in group:
            left = _without(prepared, reasons) if reasons else prepared
            if left.mail.recipients or not prepared.mail.recipients:
                screened.send.append(left)
            else:
                screened.ended.append(_refused(left))
        return screened

    def learn(self, prepared: Prepared, answer: Outcome | MailError) -> None:
        """Add the addresses that a server says do not exist. Raises PyMongoError."""
        bounced = [each for each in _errors(answer) if each.hard_bounce]
        if not bounced:
            return
        now = self._now()
        requests = [
            UpdateOne(
                {"_id": each.recipient.lower()},
                {
                    "$setOnInsert": {
                        "reason": f"hard bounce: {each.response}"[:_SHOWN],
                        "at": now,
                        "mail": prepared.claim.id,
                    }
                },
                upsert=True,
            )
            for each in bounced
        ]
        self._collection.bulk_write(requests, ordered=False)

    def _reasons(self, recipients: Iterable[str]) -> dict[str, str]:
        """Find the suppressed ones: every form of the address → the reason."""
        forms = list({form for recipient in recipients for form in _forms(recipient)})
        found: dict[str, str] = {}
        for start in range(0, len(forms), _PAGE):
            query = {"_id": {"$in": forms[start : start + _PAGE]}}
            found |= {
                each["_id"]: _reason(each) for each in self._collection.find(query, {"reason": 1})
            }
        return found


def _forms(recipient: str) -> set[str]:
    """List how the address may stand there: its domain in ASCII, or as people read it."""
    forms = {recipient, recipient.lower()}
    local, _, domain = recipient.lower().rpartition("@")
    if "xn--" in domain:
        try:
            forms.add(f"{local}@{idna.decode(domain)}")
        except idna.IDNAError:
            return forms
    return forms


def _reason(found: Document) -> str:
    reason: Any = found.get("reason")
    return reason[:_SHOWN] if isinstance(reason, str) else ""


def _without(prepared: Prepared, reasons: dict[str, str]) -> Prepared:
    mail = prepared.mail
    suppressed = {
        recipient: reasons[form]
        for recipient in mail.recipients
        for form in _forms(recipient)
        if form in reasons
    }
    if not suppressed:
        return prepared
    rejections = tuple(
        Rejection(recipient, None, f"Suppressed: {reason}" if reason else "Suppressed.")
        for recipient, reason in suppressed.items()
    )
    left = dataclasses.replace(
        mail,
        recipients=tuple(each for each in mail.recipients if each not in suppressed),
        rejected=(*mail.rejected, *rejections),
    )
    return dataclasses.replace(prepared, mail=left)


def _refused(prepared: Prepared) -> results.Result:
    """Nobody is left: no server is asked."""
    refused = prepared.mail.rejected
    outcome = Outcome((), rejected=tuple(each.recipient for each in refused), errors=refused)
    return results.of_outcome(prepared.claim, prepared.mail, outcome)


def _errors(answer: Outcome | MailError) -> Sequence[Rejection]:
    return () if isinstance(answer, MailError) else answer.errors
