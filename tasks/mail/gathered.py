"""What a mail needs from elsewhere, and what came of it; `tasks.gathering` stands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tasks.mail.schema import Document


_UIDS = ("toUids", "ccUids", "bccUids")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`uids`: of users whose address is wanted, each once."""

    uids: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.uids)


@dataclass(frozen=True, slots=True)
class Gathered:
    """`emails`: uid → what stands in that user's `email`; None: there is no such collection."""

    emails: Mapping[Any, str] | None = None


NOTHING_WANTED = Wanted()
NOTHING = Gathered()


def wanted(document: Mapping[str, Any]) -> Wanted:
    """Tell what the document needs; nothing when it is wrong, for `compose` says so."""
    if not any(document.get(name) for name in _UIDS):
        return NOTHING_WANTED
    try:
        model = Document.model_validate(dict(document))
    except ValidationError:
        return NOTHING_WANTED
    uids = [*(model.to_uids or ()), *(model.cc_uids or ()), *(model.bcc_uids or ())]
    return Wanted(tuple(dict.fromkeys(uid for uid in uids if uid is not None)))
