"""Every query of the sweep is an index scan over the few that wait, never over the many done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.monitoring import CommandListener

from config import mongo
from config.settings import Settings
from tasks.delivery import indexes
from tasks.delivery.claim import Claims
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tests.support.clock import SetClock
from tests.support.deliveries import insert_pending, must_claim


Mails = Collection[dict[str, Any]]
FINISHED = 2000

QUERIES: dict[str, Callable[[Sweep, SetClock], Any]] = {
    "due": lambda sweep, _: sweep.due(State.RETRY, 1000),
    "expired": lambda sweep, _: sweep.expired_leases(1000),
}
for _state in (None, State.PENDING, State.RETRY):
    for _lane in Lane:
        QUERIES[f"new {_state} {_lane}"] = lambda sweep, _, state=_state, lane=_lane: (  # type: ignore[misc]
            sweep.waiting(state, lane, 1000, enqueued_before=None)
        )
        QUERIES[f"lost {_state} {_lane}"] = lambda sweep, clock, state=_state, lane=_lane: (  # type: ignore[misc]
            sweep.waiting(state, lane, 1000, enqueued_before=clock())
        )


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_examines_no_finished_mail(
    mails: Mails, settings: Settings, clock: SetClock, query: str
) -> None:
    """IXSCAN on the live index; keys examined in the order of what waits, beside 2,000 done."""
    states = ("SUCCESS", "ERROR", "DRAFT", "CANCELLED")
    mails.insert_many(
        {"_id": number, "delivery": {"state": states[number % 4], "attempts": 1}}
        for number in range(FINISHED)
    )
    live: list[Any] = ["PENDING", "RETRY", "PROCESSING", None]
    for number in range(12):
        state, priority = live[number % 4], ["high", "low", None][number // 4]
        time = clock() - timedelta(seconds=number)
        delivery = {"state": state, "enqueueTime": time, "leaseExpireTime": time}
        document = {"_id": f"live {number}", "priority": priority, "delivery": delivery}
        mails.insert_one(document)

    [command] = _commands_of(settings, clock, QUERIES[query])

    plan = mails.database.command("explain", command, verbosity="executionStats")
    stats = plan["executionStats"]
    stages = _stages(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in stages
    assert stages["IXSCAN"] == indexes.LIVE
    assert stats["totalKeysExamined"] <= 12
    assert stats["totalDocsExamined"] <= 12


def test_the_indexes_are_made_once(mails: Mails) -> None:
    """Making them again is harmless, and both are there."""
    assert indexes.ensure(mails) == indexes.ensure(mails) == [indexes.LIVE, indexes.EXPIRY]
    assert {indexes.LIVE, indexes.EXPIRY} <= set(mails.index_information())


def test_a_claim_is_found_by_its_id(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """The planner must not prefer the live index over the id."""
    for number in range(50):
        insert_pending(mails, clock(), number)
    must_claim(claims, 7)
    fence = {"_id": 7, "delivery.worker": "worker:1", "delivery.attempts": 1}

    plan = mails.find(fence).explain()

    assert plan["executionStats"]["totalDocsExamined"] <= 1


def _commands_of(
    settings: Settings, clock: SetClock, query: Callable[[Sweep, SetClock], Any]
) -> list[dict[str, Any]]:
    listener = _Finds()
    uri = settings.mongodb_uri.get_secret_value()
    with MongoClient[dict[str, Any]](uri, event_listeners=[listener]) as client:
        query(
            Sweep(mongo.mail_collection(client, settings), clock, None, lease_expired="error"),
            clock,
        )
    return listener.finds


def _stages(plan: dict[str, Any]) -> dict[str, str | None]:
    found = {plan["stage"]: plan.get("indexName")}
    for name in ("inputStage", "queryPlan"):
        if name in plan:
            found |= _stages(plan[name])
    for inner in plan.get("inputStages", []):
        found |= _stages(inner)
    return found


class _Finds(CommandListener):
    def __init__(self) -> None:
        self.finds: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name == "find":
            kept = {"find", "filter", "projection", "limit", "hint"}
            self.finds.append({k: v for k, v in event.command.items() if k in kept})

    def succeeded(self, event: Any) -> None:
        """Nothing to keep."""

    def failed(self, event: Any) -> None:
        """Nothing to keep."""
