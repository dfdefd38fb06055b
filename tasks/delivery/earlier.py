"""What earlier attempts of an automatic retry have settled already.

Only `delivery.retries` and `delivery.throttled` say that the attempts belong together; the last of
them removes these. So a RETRY written by a user into a finished mail goes to every recipient again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.mongo import Document
from tasks.delivery import states
from tasks.envelope import Mail, Rejection


@dataclass(frozen=True, slots=True)
class Earlier:
    """Recipients that are not asked about again."""

    #: Automatic attempts after the first, this one included; 0: this is the first.
    retries: int = 0
    #: Attempts that do not count, because the server had too many mails.
    throttled: int = 0
    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    errors: tuple[Rejection, ...] = ()

    @classmethod
    def of(cls, document: Document) -> Earlier:
        """Read them; what users may have written there instead counts for nothing."""
        delivery = states.subdocument(document)
        retries, throttled = _number(delivery.get("retries")), _number(delivery.get("throttled"))
        if not retries and not throttled:
            return cls()
        info = delivery.get("info")
        lists = info if isinstance(info, Mapping) else {}
        rejected = _strings(lists.get("rejected"))
        known = frozenset(rejected)  # a forged list may have 400,000 items
        errors = tuple(each for each in _rejections(delivery) if each.recipient in known)
        return cls(retries, throttled, _strings(lists.get("accepted")), rejected, errors)

    @property
    def any(self) -> bool:
        """Whether there were any."""
        return bool(self.retries or self.throttled)

    def leave(self, mail: Mail) -> Mail:
        """Return the mail for those who have no answer yet; they may be none."""
        if not self.any:
            return mail
        settled = {*self.accepted, *self.rejected}
        return dataclasses.replace(
            mail,
            recipients=tuple(each for each in mail.recipients if each not in settled),
            rejected=tuple(each for each in mail.rejected if each.recipient not in settled),
        )


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value if isinstance(each, str))


def _rejections(delivery: Mapping[str, Any]) -> list[Rejection]:
    errors = delivery.get("errors")
    if not isinstance(errors, list):
        return []
    return [
        Rejection(each["recipient"], each.get("code"), str(each.get("response")))
        for each in errors
        if isinstance(each, Mapping) and isinstance(each.get("recipient"), str)
    ]
