"""TTL: finished mails really go; mails that wait never do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from config.settings import Settings
from tests.support.application import eventually


Mails = Collection[dict[str, Any]]

PAST = datetime(2020, 1, 1, tzinfo=UTC)


def test_finished_mails_disappear_and_no_others(mails: Mails) -> None:
    """SUCCESS and ERROR whose expireAt has passed; PENDING, DRAFT and the like stay."""
    future = datetime.now(UTC) + timedelta(hours=1)
    kept = ["PENDING", "RETRY", "PROCESSING", "DRAFT", "CANCELLED", None]
    mails.insert_many([{"_id": state, "delivery": _delivery(state, PAST)} for state in kept])
    mails.insert_many([{"_id": 1, "delivery": _delivery("SUCCESS", PAST)}])
    mails.insert_many([{"_id": 2, "delivery": _delivery("ERROR", PAST)}])
    mails.insert_many([{"_id": 3, "delivery": _delivery("SUCCESS", future)}])
    mails.insert_many([{"_id": 4, "delivery": {"state": "SUCCESS"}}])

    eventually("gone", lambda: not mails.count_documents({"_id": {"$in": [1, 2]}}), 10)

    assert {each["_id"] for each in mails.find()} == {*kept, 3, 4}


def _delivery(state: str | None, expire: datetime) -> dict[str, Any]:
    return {"state": state, "expireAt": expire}


@pytest.mark.parametrize(
    ("unit", "days"), [("hour", 1 / 24), ("day", 1), ("week", 7), ("month", 30), ("year", 365)]
)
def test_each_unit_has_a_fixed_length(settings: Settings, unit: str, days: float) -> None:
    """TTL_EXPIRE_TYPE times TTL_EXPIRE_VALUE."""
    chosen = settings.model_copy(update={"ttl_expire_type": unit, "ttl_expire_value": 3})

    assert chosen.ttl == timedelta(days=days) * 3


def test_never_is_no_time_to_live(settings: Settings) -> None:
    """The default."""
    assert settings.ttl is None
