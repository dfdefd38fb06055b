"""What happened to a mail, and what will, in the order of time: as far as its document tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson.objectid import ObjectId

from tasks.delivery import states
from tasks.delivery.states import Phase, State
from tasks.operating import ids
from tasks.operating.filters import NEW
from tasks.operating.mails import SHORT, Mail


@dataclass(frozen=True, slots=True)
class Step:
    """`at` None: nobody wrote down when. `kind`: "past", "now" or "ahead"."""

    text: str
    at: datetime | None
    kind: str = "past"


def steps(mail: Mail) -> list[Step]:
    """Tell the story, oldest first; never raises for what stands in the document."""
    delivery = states.subdocument(mail.document)
    found = [*_begun(mail), *_attempts(mail, delivery), *_now(mail)]
    if mail.end is not None and mail.is_settled:
        found.append(Step(_end(mail), mail.end))
    duplicate = _info(delivery).get("duplicateOf")
    if duplicate is not None:
        found.append(Step(f"Not sent: a duplicate of {ids.write(duplicate)[:SHORT]}", mail.end))
    expires = _time(delivery.get("expireAt"))
    if expires is not None and mail.is_settled:
        found.append(Step("Removed from MongoDB", expires, "ahead"))
    return found


def _begun(mail: Mail) -> list[Step]:
    inserted = mail.id.generation_time if isinstance(mail.id, ObjectId) else None
    found = [Step("Inserted (by its id, which its service made)", inserted)] if inserted else []
    if mail.start is not None:
        found.append(Step("Seen by the watcher", mail.start))
    send_at = _time(mail.document.get("sendAt"))
    if send_at is not None:
        found.append(Step("To be sent from then on (sendAt)", send_at))
    return found


def _attempts(mail: Mail, delivery: Mapping[str, Any]) -> list[Step]:
    if not mail.attempts:
        return []
    text = "1 attempt" if mail.attempts == 1 else f"{mail.attempts:,} attempts"
    details = {"retries": "automatic retries", "throttled": "put off by the server"}
    said = [f"{delivery[n]} {t}" for n, t in details.items() if _is_count(delivery.get(n))]
    lost = delivery.get("lostClaims")
    if _is_count(lost):
        said.append(f"{lost} lost with their workers before anything was sent")
    return [Step(f"{text} ({', '.join(said)})" if said else text, None)]


def _now(mail: Mail) -> list[Step]:
    if mail.state == NEW:
        return [Step("The watcher has not seen it yet", None, "now")]
    if mail.state == State.PROCESSING:
        doing = "is sending it" if mail.phase == Phase.SENDING else "prepares it"
        until = [Step("The worker's lease ends", mail.lease_until, "ahead")]
        return [Step(f"A worker {doing}", None, "now"), *(until if mail.lease_until else [])]
    if mail.state in (State.PENDING, State.RETRY):
        what = f"Waits for {mail.waits_for[:SHORT]}" if mail.waits_for else "Waits to be sent"
        ahead = [Step("Looked at again", mail.next_attempt, "ahead")] if mail.next_attempt else []
        return [Step(what, None, "now"), *ahead]
    return []


def _end(mail: Mail) -> str:
    if mail.state == State.SUCCESS:
        return "Sent: the server took it for at least one recipient"
    if mail.state == State.ERROR:
        return "In doubt: somebody may have got it" if mail.in_doubt else "Failed"
    return f"Ended as {mail.state[:SHORT]}"


def _info(delivery: Mapping[str, Any]) -> Mapping[str, Any]:
    info = delivery.get("info")
    return info if isinstance(info, Mapping) else {}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _time(value: Any) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
