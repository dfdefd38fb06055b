"""Forged `delivery` subdocuments, strange ids, what is no UTF-8; and all mutations together."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, Timestamp

from tests.support import fuzz_cases
from tests.support.fuzz_cases import Case, End, Made, Mutation
from tests.support.fuzz_values import Pool
from tests.support.raw_bson import element, raw_document, string, subdocument


_OLD = datetime(2020, 1, 1, tzinfo=UTC)
_OWN_STATES: list[Any] = [
    "DRAFT", "pending", " PENDING", "SUCCESS", "ERROR", "", "\0", 5, True, {"$in": ["PENDING"]}, {},
    Decimal128("NaN"), b"PENDING", bson.MinKey(), _OLD, Code("PENDING"),
]  # fmt: skip
_NO_COUNTS: list[Any] = [
    "three", -2, 1.5, True, {}, {"$gt": 0}, float("nan"), float("inf"), Int64(2**63 - 1), 2.0**60,
    Decimal128("NaN"), Decimal128("3"), b"1", _OLD, bson.MaxKey(),
]  # fmt: skip
#: Fields that are ours, and of which no wrong value may keep a mail from being sent.
_OURS = [
    "startTime", "endTime", "error", "errors", "info", "leaseExpireTime", "enqueueTime", "worker",
    "phase", "lostClaims", "nextAttemptTime", "waitsFor", "inDoubt", "retries", "throttled", "note",
]  # fmt: skip
#: Where a date to come is a wish.
_TIMES = {"nextAttemptTime", "enqueueTime"}
#: What MongoDB says of two lists in the fields of one index.
_PARALLEL = "cannot index parallel arrays"


def no_map(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """Something else in the place of `delivery`."""
    kinds = [kind for kind in pool if kind not in {"map", "list"}]
    document["delivery"] = rng.choice(pool[rng.choice(kinds)])
    return Made(("delivery must be a map",))


def no_count(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Attempts that cannot be counted."""
    state = rng.choice(["PENDING", "RETRY"])  # without a state it counts from 0
    document["delivery"] = {"state": state, "attempts": rng.choice(_NO_COUNTS)}
    return Made(("delivery.attempts must be a whole number",))


def no_lease(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """In work, and in nobody's hands: it may have been sent."""
    until = rng.choice(
        [..., None, _OLD, "later", {"$gt": 0}, 5, DatetimeMS(2**60), [DatetimeMS(0)]]
    )
    odd = rng.choice(pool[rng.choice(list(pool))])
    forged = {
        "state": "PROCESSING",
        "leaseExpireTime": until,
        rng.choice(["worker", "attempts"]): odd,
    }
    if rng.random() < 0.5:
        forged["phase"] = rng.choice(["SENDING", "claimed", 5, {}, odd])
    document["delivery"] = {name: value for name, value in forged.items() if value is not ...}
    return Made(("Message processing lease expired.",))


def unbegun(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """In nobody's hands, and only claimed: nothing was sent, so it is sent now."""
    forged = {
        "state": "PROCESSING",
        "phase": "CLAIMED",
        "leaseExpireTime": rng.choice([None, _OLD]),
    }
    lost = rng.choice(["x", -5, 0, 1, {}, rng.choice(pool["map"])])
    document["delivery"] = {**forged, "lostClaims": lost, "worker": rng.choice(pool["map"])}
    return Made(end=End.SENT)


def forged(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """Waiting, with anything where our own fields are."""
    delivery: dict[str, Any] = {}
    if rng.random() < 0.8:
        delivery["state"] = rng.choice(["PENDING", "RETRY", None])
    for name in rng.sample(_OURS, rng.randrange(1, 6)):
        kinds = [kind for kind in pool if name not in _TIMES or kind != "date"]
        delivery[name] = rng.choice(pool[rng.choice(kinds)])
    if rng.random() < 0.2:
        delivery["info"] = {"accepted": [document["to"]], "rejected": [document["to"]]}
        delivery["retries"] = rng.choice(["1", 0, -1, None, {}, True])
        delivery.pop("throttled", None)
    if rng.random() < 0.3:
        delivery["attempts"] = rng.choice([0, 7, 3.0, Int64(9), None])
    document["delivery"] = chosen = rng.choice([delivery, delivery, delivery, {}, None])
    if chosen and all(isinstance(chosen.get(name), list) for name in _TIMES):
        return Made((_PARALLEL,), End.REFUSED)
    return Made(end=End.SENT)


def own_state(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Held back by whoever inserted it."""
    document["delivery"] = {"state": rng.choice(_OWN_STATES), "attempts": "x", "expireAt": "never"}
    return Made(end=End.UNTOUCHED)


def lists(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """A list where the state machine looks for one value."""
    value = rng.choice([*pool["list"], [{"state": "PENDING"}], [{}], list(range(900))])
    path = rng.choice(["delivery", "priority"])
    document[path] = value
    return Made((f"{path} must be",))


def list_of_states(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """A state of the users' own, unless a query for one of ours finds it."""
    value = rng.choice([*pool["list"], ["DRAFT"], ["SUCCESS", "ERROR"], [], [["PENDING"]]])
    states = rng.choice([value, ["PENDING", *value], [*value, "RETRY"], [*value, None]])
    document["delivery"] = {"state": states}
    if rng.random() < 0.1:
        document["delivery"]["nextAttemptTime"] = [_OLD]
    if not any(each is None or _is_text(each, {"PENDING", "RETRY"}) for each in states):
        return Made(end=End.UNTOUCHED)
    if "nextAttemptTime" in document["delivery"]:
        return Made((_PARALLEL,), End.REFUSED)
    return Made(("delivery.state must be a string",))


def _is_text(value: Any, texts: set[str]) -> bool:
    return type(value) is str and value in texts  # code is no text


def list_of_times(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """A list in the place of a time: it is ours, and keeps no mail from being sent."""
    name = rng.choice(["nextAttemptTime", "enqueueTime", "expireAt"])
    dates = [[_OLD], [_OLD, DatetimeMS(2**60)], [DatetimeMS(-(2**60)), None], [DatetimeMS(2**60)]]
    # A mail that has ended goes when its expireAt has come; of a list, the first.
    odd: list[Any] = [[], [None], [{}], ["never", 5], list(range(900))]
    times = rng.choice(odd if name == "expireAt" else [*odd, *dates, *pool["list"]])
    document["delivery"] = {"state": rng.choice(["PENDING", "RETRY", None]), name: times}
    return Made(end=End.SENT)


def broken_text(rng: random.Random, _: Pool, document: dict[str, Any], number: int) -> Made:
    """No UTF-8, where it would go to somebody else or means something."""
    field = rng.choice(["to", "from", "priority", "replyTo"])
    del document["to"]
    written = string(
        f"a{number}".encode()
        + rng.choice([b"\xff", b"\xed\xa0\x80", b"\xc0\xaf"])
        + b"@example.com"
    )
    other = {} if field == "to" else {"to": f"h{number}@hostile.example"}
    document.update(other)
    document[_RAW] = element("string", field, written)
    return Made((field,))


def unreadable_id(rng: random.Random, _: Pool, __: dict[str, Any], number: int) -> Made:
    """Ids that the driver reads as another, or not at all, or that no message can hold."""
    own = str(number).encode()
    two = (element("int", "a", b"\1\0\0\0"), element("string", "a", string(own)))
    odd = [
        element("string", "_id", string(own + b"\xff")),
        element("map", "_id", subdocument(*two)),
        element("map", "_id", subdocument(element("undefined", "u", b""), two[1])),
        element("DBPointer", "_id", string(own) + b"x" * 12),
        element("map", "_id", subdocument(element("regex", "a", own + b"\0zz\0"))),
        bson.encode({"_id": Code(str(number), {"$oid": "zz"})})[4:-1],
        element("string", "_id", string(own.ljust(5_000, b"x"))),
        element("string", "_id", string(own.ljust(30_000, b"x"))),
        element(
            "map", "_id", subdocument(element("string", own.ljust(4_500, b"\xff"), string(b"")))
        ),
        _short_binary("_id", own),
        element("map", "_id", subdocument(_short_binary("a", own))),
    ]
    return Made(("_id",), id=rng.choice(odd))


def unreadable(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Documents that the driver cannot read at all."""
    document.pop("priority", None)
    document[_RAW] = _short_binary(rng.choice(["note", "priority", "sendAt"]), b"x" * 9)
    if rng.random() < 0.5:
        document["delivery"] = {"state": rng.choice(["PENDING", "RETRY"])}
    return Made(("the document cannot be read",))


def _short_binary(name: str, content: bytes) -> bytes:
    """Write binary data of the old subtype, which says twice how long it is, and lies once."""
    value = (99).to_bytes(4, "little") + content
    return element("binary", name, len(value).to_bytes(4, "little") + b"\2" + value)


def odd_id(rng: random.Random, _: Pool, __: dict[str, Any], number: int) -> Made:
    """Ids of every type that can be read back."""
    odd: list[Any] = [
        f"{number}", f"{number}\0\n\x1b[2J<script>alert(1)</script>", f"é\ufffd{number}", number,
        -number, Int64(2**40 + number), number + 0.5, {"a": number, "b.c": [None, {"d": "$gt"}]},
        {f"{number}": {}}, DBRef("mail", number), Code(f"{number}"), Code(f"{number}", {"a": 1}),
        Timestamp(number + 1, 1),
        DatetimeMS(2**55 + number), DatetimeMS(number), Decimal128(f"{number}.25"),
        f"{number}".encode(),
        Binary(number.to_bytes(16, "big"), 4), "x" * 3_900 + f"{number}", bson.ObjectId(),
    ]  # fmt: skip
    return Made(end=End.SENT, id=bson.encode({"_id": rng.choice(odd)})[4:-1])


_RAW = "\0raw"
#: How often, among a hundred.
MUTATIONS: dict[Mutation, int] = {
    fuzz_cases.wrong_type: 30,
    fuzz_cases.injection: 12,
    fuzz_cases.header_name: 5,
    fuzz_cases.lacking: 6,
    fuzz_cases.wrong_value: 14,
    fuzz_cases.wrong_source: 5,
    no_map: 5,
    no_count: 4,
    no_lease: 4,
    broken_text: 4,
    unreadable_id: 4,
    unreadable: 2,
    lists: 3,
    list_of_states: 3,
    own_state: 4,
}
#: The same for what has to arrive.
GOOD: dict[Mutation, int] = {
    lambda *_: Made(end=End.SENT): 30,
    fuzz_cases.harmless: 30,
    forged: 25,
    odd_id: 10,
    unbegun: 5,
    list_of_times: 5,
}


def case(rng: random.Random, pool: Pool, number: int, *, hostile: bool) -> Case:
    """Make the document of this number."""
    mutations = MUTATIONS if hostile else GOOD
    [mutate] = rng.choices(list(mutations), list(mutations.values()))
    return _made(mutate, rng, pool, number, hostile=hostile)


def _made(
    mutate: Callable[..., Made], rng: random.Random, pool: Pool, number: int, *, hostile: bool
) -> Case:
    recipient = f"{'h' if hostile else 'g'}{number}@{'hostile' if hostile else 'good'}.example"
    document: dict[str, Any] = {
        "case": number,
        "to": recipient,
        "message": {"subject": f"Mail {number}", "text": f"This is mail {number}."},
    }
    if rng.random() < 0.3:
        document["priority"] = rng.choice(["high", "normal", "low"])
    made = mutate(rng, pool, document, number)
    raw = document.pop(_RAW, b"")
    document = copy.deepcopy(document)
    what = getattr(mutate, "__name__", "plain")
    if not raw and made.id is None:
        return Case(document, made.end, recipient, what, made.named)
    id = made.id or bson.encode({"_id": f"raw {number}"})[4:-1]
    written = raw_document(id, bson.encode(document)[4:-1], raw)
    return Case(written, made.end, recipient, what, made.named)
