"""What must hold, and a clear line for whatever does not."""

from __future__ import annotations

from collections.abc import Iterator

from bench.soak import figures
from bench.soak.run import Outcome
from tasks.delivery.indexes import DUE, LIVE


#: Seconds from the insert of a mail of high priority to SUCCESS: always, and while the watcher
#: has been killed (its lease runs 8 s, the next one tries every second).
URGENT, URGENT_LEADERLESS = 2.0, 12.0
TAKEOVER = 10.0
QUERY_MILLISECONDS = 50
#: The late tenth of the mails may cost so much more than the early one: a machine with other work.
DEARER = 1.4
#: Resident memory of the last third against the first third of a process's life.
GROWTH, GROWTH_BYTES = 1.1, 5_000_000
BROKER_BYTES = 50_000_000
#: Ids that were enqueued again although a worker had them; and where other work takes more than so
#: much of a processor, so that a worker may stand still.
NOT_CLAIMED, NOT_CLAIMED_BUSY, BUSY = 0.01, 0.05, 0.5
_STEP = 1000
#: What workers may have in hand: the expired leases are looked for among these.
_IN_HAND = 5000


def broken(outcome: Outcome, *, queue_limit: int) -> Iterator[str]:
    """Say every promise that did not hold."""
    if outcome.late:
        yield outcome.late
    yield from (f"{name} ended by itself" for name in outcome.ended)
    yield from _books(outcome)
    yield from _urgent(outcome)
    yield from _queries(outcome)
    yield from _flat(outcome)
    yield from _queues(outcome, queue_limit)
    for seconds in outcome.takeovers:
        if seconds > TAKEOVER:
            yield f"after kill -9 the next watcher led after {seconds:.1f} s, not {TAKEOVER:.0f} s"


def _books(outcome: Outcome) -> Iterator[str]:
    books = outcome.books
    if books is None:
        yield "the books were not balanced"
        return
    mails = outcome.mails + len(outcome.probes)
    if books.states != {"SUCCESS": mails}:
        yield f"of {mails:,} mails not all are SUCCESS: {books.states}"
    if books.taken != mails:
        yield f"the SMTP server took {books.taken:,} mails, not {mails:,}"
    if books.twice:
        yield f"{len(books.twice)} recipients got more than one mail, e.g. {books.twice[:3]}"
    busy = len(outcome.samples) > 1 and figures.others(outcome.samples) > BUSY
    share = NOT_CLAIMED_BUSY if busy else NOT_CLAIMED
    if books.not_claimed > share * mails:
        yield f"{books.not_claimed:,} ids reached a worker in vain, more than {share:.0%}"


def _urgent(outcome: Outcome) -> Iterator[str]:
    for leaderless, limit in ((False, URGENT), (True, URGENT_LEADERLESS)):
        taken = [each.seconds for each in outcome.probes if each.leaderless is leaderless]
        if taken and max(taken) > limit:
            late = sum(seconds > limit for seconds in taken)
            while_ = "while no watcher led, " if leaderless else ""
            yield (
                f"high priority: {while_}{late} of {len(taken)} took longer than {limit:g} s;"
                f" the longest {max(taken):.1f} s"
            )
    if not any(not each.leaderless for each in outcome.probes):
        yield "no mail of high priority was measured"


def _queries(outcome: Outcome) -> Iterator[str]:
    for each in outcome.explained:
        if each.waiting == 0:
            continue  # shown, not judged: no backlog any more
        title = f"query “{each.name}”, {each.when}:"
        if not _is_index_scan(each.plan):
            yield f"{title} is no scan of our index alone: {each.plan}"
        few = _IN_HAND if each.name == "expired leases" else _STEP
        if each.documents > few or each.keys > 2 * few:
            yield f"{title} examined {each.keys:,} keys and {each.documents:,} documents"
        if each.milliseconds > QUERY_MILLISECONDS:
            yield f"{title} took {each.milliseconds} ms, not {QUERY_MILLISECONDS}"


def _is_index_scan(plan: str) -> bool:
    ours = f"IXSCAN {LIVE}" in plan or f"IXSCAN {DUE}" in plan
    return ours and not any(stage in plan for stage in ("COLLSCAN", "SORT", "OR"))


def _flat(outcome: Outcome) -> Iterator[str]:
    for role, (early, late) in figures.costs(outcome.samples).items():
        if role in ("worker", "mongod", "all") and late > DEARER * early:
            yield f"CPU a mail, {role}: {early:.0f} µs early, {late:.0f} µs late"
    for name, memory in figures.memories(outcome.samples).items():
        ours = name.startswith(("worker", "watcher"))
        long_enough = len(memory.course) >= figures.SHORTEST
        if ours and long_enough and memory.late > GROWTH * memory.early + GROWTH_BYTES:
            megabytes = f"{memory.early / 1e6:.0f} → {memory.late / 1e6:.0f} MB"
            yield f"{name} grew: {megabytes} from the first to the last third of its life"


def _queues(outcome: Outcome, queue_limit: int) -> Iterator[str]:
    for lane, most in figures.longest_queues(outcome.samples).items():
        if most > queue_limit:
            yield f"queue {lane}: up to {most:,} ids; QUEUE_LIMIT is {queue_limit:,}"
    used = max((sample.broker_bytes for sample in outcome.samples), default=0)
    if used > BROKER_BYTES:
        yield f"the broker used {used / 1e6:.0f} MB, not {BROKER_BYTES / 1e6:.0f}"
