"""Every query of the sweep is an index scan over what it returns, never over the many others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.max_key import MaxKey
from bson.min_key import MinKey
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.monitoring import CommandListener

from config import mongo
from config.settings import Settings
from tasks import lanes
from tasks.delivery import indexes, spans
from tasks.delivery.claim import Claims
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import insert_pending, must_claim


Mails = Collection[dict[str, Any]]
Ask = Callable[[Sweep, SetClock], Any]
FINISHED, WAITING = 20_000, 5_000
STEP = 100
UTC_NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
#: Keys a scan may look at besides what it returns: one for each usual priority it goes over, and
#: one to see that it has ended.
ENDS = len(spans.USUAL) + 1


def feeding(state: State | None, span: Span) -> Ask:
    return lambda sweep, _: sweep.unqueued(state, span, STEP).take()


def due(state: State, span: Span) -> Ask:
    return lambda sweep, _: sweep.due(state, span, STEP)


def lost(state: State, span: Span) -> Ask:
    def ask(sweep: Sweep, clock: SetClock) -> Any:
        return sweep.enqueued(state, span, STEP, since=None, before=clock())

    return ask


QUERIES: dict[str, Ask] = {"expired": lambda sweep, _: sweep.expired_leases(STEP)}
for number, each in enumerate(spans.ALL):
    QUERIES[f"feed None {number}"] = feeding(None, each)
    for waiting in (State.PENDING, State.RETRY):
        QUERIES[f"feed {waiting} {number}"] = feeding(waiting, each)
        QUERIES[f"due {waiting} {number}"] = due(waiting, each)
        QUERIES[f"lost {waiting} {number}"] = lost(waiting, each)


def fill(mails: Mails, clock: SetClock) -> None:
    """Finished mails, and mails that wait: never enqueued, enqueued just now, planned for later.

    None of these is lost, due or without a state; only a list as `delivery` is neither.
    """
    states = ("SUCCESS", "ERROR", "DRAFT", "CANCELLED")
    mails.insert_many(
        {"_id": number, "delivery": {"state": states[number % 4], "attempts": 1}}
        for number in range(FINISHED)
    )
    soon = clock() + timedelta(hours=1)
    kinds = [{}, {"enqueueTime": soon}, {"nextAttemptTime": soon}]
    priorities = ["high", "low", None, "normal"]
    mails.insert_many(
        {
            "_id": f"waiting {number}",
            "priority": priorities[number % 4],
            "delivery": {"state": ["PENDING", "RETRY"][number % 2], **kinds[number % 3]},
        }
        for number in range(WAITING)
    )
    mails.insert_one({"_id": "a list", "delivery": [{"state": "PENDING"}]})
    mails.delete_one({"_id": "a list"})


def test_no_query_looks_at_more_than_it_returns(
    mails: Mails, settings: Settings, clock: SetClock
) -> None:
    """Beside 20,000 finished and 5,000 waiting mails, and after one hostile document.

    A document whose `delivery` is a list makes the index multikey for ever.
    """
    fill(mails, clock)

    for name, ask in QUERIES.items():
        [command] = commands_of(settings, clock, ask)
        plan = mails.database.command(
            "explain", command, verbosity="executionStats", codec_options=mongo.CODEC
        )
        stats = plan["executionStats"]
        found = stages(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in found, name
        assert "SORT" not in found, name
        assert found["IXSCAN"] == (indexes.DUE if name.startswith("due") else indexes.LIVE), name
        assert stats["totalKeysExamined"] <= stats["nReturned"] + ENDS, name
        assert stats["totalDocsExamined"] <= stats["nReturned"] + ENDS, name


@pytest.mark.parametrize(
    "priority",
    [
        "high",
        "normal",
        "low",
        None,
        5,
        "urgent",
        "zzz",
        "a",
        "",
        {},
        [],
        True,
        UTC_NOON,
        MinKey(),
        ["a", "list"],
        MaxKey(),
    ],
    ids=repr,
)
def test_every_priority_is_in_one_span(mails: Mails, sweep: Sweep, priority: Any) -> None:
    """Whatever a service wrote there, exactly one query finds it, and it is of its own lane."""
    mails.insert_one({"_id": 1, "priority": priority})

    found = [span for span in spans.ALL if sweep.unqueued(None, span, STEP).take()[0]]

    assert [span.lane for span in found] == [lanes.of(priority)]


def test_the_next_due_mail_is_found_at_once(
    mails: Mails, settings: Settings, clock: SetClock
) -> None:
    """One key, however many wait for their times."""
    for number in range(500):
        later = clock() + timedelta(seconds=1000 - number)
        insert_pending(mails, clock(), number, nextAttemptTime=later)

    [command] = commands_of(
        settings, clock, lambda sweep, _: sweep.earliest(State.PENDING, spans.USUAL[1])
    )

    plan = mails.database.command("explain", command, verbosity="executionStats")
    assert "SORT" not in stages(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalKeysExamined"] <= 2


def test_the_indexes_are_made_once(mails: Mails) -> None:
    """Making them again is harmless, and all are there."""
    ours = [model.document["name"] for model in indexes.MODELS]
    assert indexes.ensure(mails) == indexes.ensure(mails) == ours
    assert set(ours) <= set(mails.index_information())


def test_an_index_of_an_older_version_makes_way(mails: Mails) -> None:
    """Its successor is made beside it; then it goes, and ours stay."""
    mails.drop_indexes()
    mails.create_index(
        "delivery.expireAt",
        name="mailtrigger_expiry",
        expireAfterSeconds=0,
        partialFilterExpression={"delivery.state": {"$in": ["SUCCESS", "ERROR"]}},
    )

    ours = indexes.ensure(mails)
    indexes.drop_old(mails)

    assert set(mails.index_information()) == {"_id_", *ours}


def test_a_claim_is_found_by_its_id(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """The planner must not prefer the live index over the id."""
    for number in range(50):
        insert_pending(mails, clock(), number)
    must_claim(claims, 7)
    fence = {"_id": 7, "delivery.worker": "worker:1", "delivery.attempts": 1}

    plan = mails.find(fence).explain()

    assert plan["executionStats"]["totalDocsExamined"] <= 1


def commands_of(settings: Settings, clock: SetClock, ask: Ask) -> list[dict[str, Any]]:
    listener = Finds()
    uri = settings.mongodb_uri.get_secret_value()
    with MongoClient[dict[str, Any]](uri, event_listeners=[listener]) as client:
        sweep = Sweep(mongo.mail_collection(client, settings), clock, None, lease_expired="error")
        ask(sweep, clock)
    return listener.finds


def stages(plan: dict[str, Any]) -> dict[str, str | None]:
    found = {plan["stage"]: plan.get("indexName")}
    for name in ("inputStage", "queryPlan"):
        if name in plan:
            found |= stages(plan[name])
    for inner in plan.get("inputStages", []):
        found |= stages(inner)
    return found


class Finds(CommandListener):
    def __init__(self) -> None:
        self.finds: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name == "find":
            kept = {"find", "filter", "projection", "limit", "hint", "min", "max"}
            command = {k: v for k, v in event.command.items() if k in kept}
            # The first answer of a cursor has as many as a limit would allow.
            limit = event.command.get("limit") or event.command.get("batchSize", STEP)
            self.finds.append({**command, "limit": limit})

    def succeeded(self, event: Any) -> None:
        """Nothing to keep."""

    def failed(self, event: Any) -> None:
        """Nothing to keep."""
