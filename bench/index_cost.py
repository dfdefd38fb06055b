"""What a further index costs mongod for each mail: `python -m bench.index_cost [--mails 6000]`.

Every mail goes through the writes of its life (insert, PENDING, claim, phase SENDING, SUCCESS) in
collections that differ by their indexes only, in turn. CPU time of mongod; the median.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from pymongo import IndexModel, MongoClient, UpdateOne
from pymongo.collection import Collection

from bench.mails import mail
from config.mongo import CODEC
from local import mongo, ports
from tasks.clock import ServerClock
from tasks.delivery import indexes, states
from tasks.delivery.admit import Admission
from tasks.delivery.candidate import Candidate
from tasks.delivery.claim import Claims
from tasks.delivery.results import Result
from tasks.delivery.states import State


Mails = Collection[dict[str, Any]]

_GROUP = 50
_SWEEPS = (indexes.LIVE, indexes.DUE, indexes.EXPIRY)
_PEOPLES = (indexes.TIMELINE, indexes.ASIDE, indexes.ENDED)
#: The index of `expireAt` as it once was: it held an entry of every finished mail.
_OLD_EXPIRY = IndexModel(
    [("delivery.expireAt", 1)],
    name="old",
    expireAfterSeconds=0,
    partialFilterExpression={"delivery.state": {"$in": [State.SUCCESS, State.ERROR]}},
)
_VARIANTS: dict[str, tuple[str, ...]] = {
    "the sweep's": (),
    "the sweep's, of before": ("old",),
    **{f"and {name}": (name,) for name in _PEOPLES},
    "and all of them": _PEOPLES,
}


def main(
    mails: Annotated[int, typer.Option(help="mails in a round")] = 6000,
    rounds: Annotated[int, typer.Option(help="rounds of each variant")] = 6,
) -> None:
    """Measure all variants in turn, and print µs of CPU a mail."""
    spent: dict[str, list[float]] = {name: [] for name in _VARIANTS}
    with mongod() as (client, process):
        for number in range(rounds + 1):
            for name in list(_VARIANTS)[:: 1 if number % 2 else -1]:
                cost = _round(client, process, _VARIANTS[name], mails)
                if number:  # the first warms up
                    spent[name].append(cost)
    base = statistics.median(spent["the sweep's"])
    for name, costs in spent.items():
        median = statistics.median(costs)
        spread = f"{min(costs):.1f}–{max(costs):.1f}"
        print(f"{name:28} {median:6.1f} µs a mail  {median - base:+6.1f}  ({spread})")


def _round(
    client: MongoClient[dict[str, Any]],
    process: psutil.Process,
    further: tuple[str, ...],
    count: int,
) -> float:
    name = f"cost_{secrets.token_hex(4)}"
    collection = client[name].get_collection("mail", codec_options=CODEC)
    chosen = {*_SWEEPS, *further}
    models = [*indexes.MODELS, _OLD_EXPIRY]
    collection.create_indexes([each for each in models if each.document["name"] in chosen])
    before = process.cpu_times()
    _live(collection, count)
    after = process.cpu_times()
    client.drop_database(name)
    used = after.user + after.system - before.user - before.system
    return used / count * 1e6


def _live(mails: Mails, count: int) -> None:
    """Bring mails from the insert to SUCCESS by the code that does it in production."""
    now = ServerClock(mails.database.client)
    claims = Claims(mails, now, 60, bulk=True)
    admission = Admission(mails, now, None)
    for start in range(0, count, _GROUP):
        ids = mails.insert_many([mail(start + number) for number in range(_GROUP)]).inserted_ids
        admission.admit([Candidate(id, "missing") for id in ids], now())
        group = list(claims.claim_group(ids, secrets.token_hex(6)))
        ours = claims.begin_sending(group)
        info = {"messageId": "<x@example.com>", "accepted": ["a@example.com"], "response": "250"}
        results = [Result(claim, State.SUCCESS, info=info) for claim in ours]
        _write(mails, results, now())


def _write(mails: Mails, results: Sequence[Result], now: datetime) -> None:
    requests = [
        UpdateOne({**each.claim.fence, "$or": states.UNDECIDED}, each.changes(now, None))
        for each in results
    ]
    mails.bulk_write(requests, ordered=False)


@contextmanager
def mongod() -> Iterator[tuple[MongoClient[dict[str, Any]], psutil.Process]]:
    """Run a mongod of its own."""
    program, port = mongo.find_program(), ports.free()
    if program is None:
        raise SystemExit("no mongod: run `make install`")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        server = mongo.member(
            program, port=port, directory=directory / "data", log=directory / "mongod.log"
        )
        server.start()
        try:
            mongo.initiate([port])
            with MongoClient[dict[str, Any]](mongo.uri([port]), tz_aware=True) as client:
                yield client, psutil.Process(server.pid)
        finally:
            server.kill()


if __name__ == "__main__":
    typer.run(main)
