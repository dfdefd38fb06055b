"""Which steps a mail may take: DESIGN section 4, as it is seen from outside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from tasks.delivery.states import LEASE_EXPIRED, Phase, State
from tests.support.history import Step


#: A state of the users' own; they turn it into RETRY.
HELD_BACK = "DRAFT"
_WAITING = (None, State.PENDING, State.RETRY)


def problems(steps: Sequence[Step]) -> list[str]:
    """Name every step that no mail may take while nobody but Mailtrigger writes."""
    pairs = itertools.pairwise(steps)
    found = [f"{_text(a)} → {_text(b)}" for a, b in pairs if not _allowed(a, b)]
    found += [f"in doubt, but {_text(s)}" for s in steps if s.in_doubt and s.state != State.ERROR]
    claims = [b.fence for a, b in itertools.pairwise(steps) if _is_claim(a, b)]
    if len(set(claims)) != len(claims):
        found.append(f"the same fence twice: {claims}")
    return found


def is_lost_lease(step: Step) -> bool:
    """Tell whether the sweep wrote this for a worker that did not end its attempt."""
    return step.state == State.ERROR and step.error == LEASE_EXPIRED


def _is_claim(before: Step, after: Step) -> bool:
    return before.state in _WAITING and after.state == State.PROCESSING


def _allowed(before: Step, after: Step) -> bool:
    if before.state == HELD_BACK:
        return after.state == State.RETRY
    match after.state:
        case State.PROCESSING:
            return _may_be_processing(before, after)
        case State.SUCCESS:
            return _is_sending(before, after) or _corrects(before, after)
        case State.ERROR:
            return _may_fail(before, after)
        case State.PENDING:
            return _may_wait(before, after)
        case _:
            return False


def _may_be_processing(before: Step, after: Step) -> bool:
    """A claim of what waits, or the point of no return of the same attempt; never a hand-over."""
    if _is_claim(before, after):
        return after.phase == Phase.CLAIMED and _count(after) == _count(before) + 1
    in_hand = before.state == State.PROCESSING and before.fence == after.fence
    return in_hand and before.phase == Phase.CLAIMED and after.phase == Phase.SENDING


def _is_sending(before: Step, after: Step) -> bool:
    sending = before.state == State.PROCESSING and before.phase == Phase.SENDING
    return sending and before.fence == after.fence


def _corrects(before: Step, after: Step) -> bool:
    """The truth of the same attempt, in place of "lease expired"."""
    return is_lost_lease(before) and before.fence == after.fence


def _may_fail(before: Step, after: Step) -> bool:
    if before.state is None or str(after.error).startswith("delivery"):
        return True  # refused: no room for `delivery`, or whoever inserted wrote nonsense there
    if is_lost_lease(after):
        return _is_sending(before, after)
    in_hand = before.state == State.PROCESSING and before.fence == after.fence
    return in_hand or _corrects(before, after)


def _may_wait(before: Step, after: Step) -> bool:
    if before.state is None:
        return after.attempts == 0
    if before.state == State.PENDING:
        return before.attempts == after.attempts
    given_back = _count(before) - _count(after) in (0, 1)
    return given_back and (before.state == State.PROCESSING or is_lost_lease(before))


def _count(step: Step) -> int:
    return step.attempts if isinstance(step.attempts, int) else 0


def _text(step: Step) -> str:
    phase = f"/{step.phase}" if step.phase else ""
    error = f" ({step.error})" if step.error else ""
    return f"{step.state}{phase} {step.fence}{error}"
