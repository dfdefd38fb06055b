"""Change events, read as states of mails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local import states
from local.states import Change, Track


_AT = datetime(2026, 11, 24, tzinfo=UTC)


def _event(operation: str, **more: Any) -> dict[str, Any]:
    return {"operationType": operation, "documentKey": {"_id": 1}, "wallTime": _AT, **more}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        # A service inserts, without and with a state of its own.
        (
            _event("insert", fullDocument={"message": {"subject": "Hi"}}),
            Change("1", "INSERTED", _AT, "Hi"),
        ),
        (
            _event("insert", fullDocument={"delivery": {"state": "DRAFT"}}),
            Change("1", "DRAFT", _AT, "1"),
        ),
        # The watcher sets the whole, the worker single fields.
        (
            _event(
                "update", updateDescription={"updatedFields": {"delivery": {"state": "PENDING"}}}
            ),
            Change("1", "PENDING", _AT, "1"),
        ),
        (
            _event(
                "update",
                updateDescription={
                    "updatedFields": {"delivery.state": "ERROR", "delivery.error": "no recipient"}
                },
            ),
            Change("1", "ERROR", _AT, "1", "no recipient"),
        ),
        # mongod 6.0 reports small pipeline updates as replacements.
        (
            _event("replace", fullDocument={"delivery": {"state": "SUCCESS"}}),
            Change("1", "SUCCESS", _AT, "1"),
        ),
        # Not a change of state.
        (
            _event("update", updateDescription={"updatedFields": {"delivery.phase": "SENDING"}}),
            None,
        ),
        (_event("update", updateDescription={"updatedFields": {"note": "x"}}), None),
        (
            _event("insert", fullDocument={"delivery": "what?", "message": 5}),
            Change("1", "INSERTED", _AT, "1"),
        ),
    ],
)
def test_read(event: dict[str, Any], expected: Change | None) -> None:
    """Every way a state can be written shows as that state, anything else does not show."""
    assert states.read(event) == expected


def test_any_id_has_a_key() -> None:
    """An `_id` of any BSON type can be followed, a map too."""
    assert states.key({"a": 1}) == '{"a": 1}'


def test_track_counts_from_the_insert() -> None:
    """A mail's times count from its insert; a mail seen later has none."""
    track = Track(1, "mail")
    track.add(Change("1", "PENDING", _AT, "mail"))
    assert track.milliseconds(_AT) is None

    track.add(Change("1", "INSERTED", _AT, "mail"))
    track.add(Change("1", "SUCCESS", _AT + timedelta(seconds=1), "mail"))

    assert track.finished
    assert track.milliseconds(track.times["SUCCESS"]) == 1000
