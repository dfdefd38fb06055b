"""What follows from the samples: rates, cost a mail in a part of the run, growth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


#: The tenths that are compared: the very first mails pay for the workers' start, the last ones
#: are too few for full batches.
EARLY, LATE = (0.05, 0.15), (0.85, 0.95)
#: Samples of mails being sent, below which a tenth says nothing.
SHORTEST = 20
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything."""

    #: time.monotonic().
    at: float
    #: Mails the SMTP server has taken.
    done: int
    #: CPU seconds that this machine has spent on whatever.
    busy: float
    #: CPU seconds used so far, by role; the ended processes of a role included.
    cpu: Mapping[str, float]
    #: Resident bytes, by process.
    memory: Mapping[str, int]
    #: Ids in each queue, at most.
    queued: Mapping[str, int]
    broker_bytes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of one process."""

    start: int
    longest: int
    end: int
    #: The most in the first and in the last third of its life.
    early: int
    late: int
    course: Sequence[int]


def memory(samples: Sequence[Sample], name: str) -> Memory | None:
    """Tell how a process's memory went; None when it was hardly there."""
    course = [sample.memory[name] for sample in samples if name in sample.memory]
    third = len(course) // 3
    if not third:
        return None
    # The first sample may have come while it was still loading its code.
    return Memory(
        course[min(1, third)], max(course), course[-1], max(course[:third]), max(course[-third:]),
        course,
    )  # fmt: skip


def cost(samples: Sequence[Sample], role: str, part: tuple[float, float]) -> float:
    """Tell the CPU microseconds a mail in a part of the run."""
    total = samples[-1].done
    start, end = (_at(samples, role, total * edge) for edge in part)
    mails = total * (part[1] - part[0])
    return (end - start) / mails * 1e6


def costs(samples: Sequence[Sample]) -> dict[str, tuple[float, float]]:
    """Tell the CPU microseconds a mail, in the early and in the late tenth, by role and in all.

    Empty when the run was too short for it.
    """
    if len(samples) < 2 or sum(sample.done > 0 for sample in samples) < SHORTEST:
        return {}
    roles = samples[-1].cpu
    found = {role: (cost(samples, role, EARLY), cost(samples, role, LATE)) for role in roles}
    found["all"] = (
        sum(each[0] for each in found.values()),
        sum(each[1] for each in found.values()),
    )
    return found


def others(samples: Sequence[Sample]) -> float:
    """Tell how many processors other work has used meanwhile."""
    first, last = samples[0], samples[-1]
    ours = sum(last.cpu.values()) - sum(first.cpu.values())
    return max(0.0, (last.busy - first.busy - ours) / (last.at - first.at))


def memories(samples: Sequence[Sample]) -> dict[str, Memory]:
    """Tell how each process's memory went."""
    names = list(dict.fromkeys(name for sample in samples for name in sample.memory))
    found = {name: memory(samples, name) for name in names}
    return {name: course for name, course in found.items() if course is not None}


def longest_queues(samples: Sequence[Sample]) -> dict[str, int]:
    """Tell the most ids that waited in each queue."""
    lanes = samples[-1].queued if samples else {}
    return {lane: max(sample.queued[lane] for sample in samples) for lane in lanes}


def rates(samples: Sequence[Sample], parts: int = 40) -> list[float]:
    """Tell the mails a second in equal parts of the time in which mails were sent."""
    working = [sample for sample in samples if 0 < sample.done < samples[-1].done]
    if len(working) < 2:
        return []
    step = max(1, len(working) // parts)
    marks = working[::step]
    return [
        (after.done - before.done) / (after.at - before.at)
        for before, after in itertools.pairwise(marks)
    ]


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Draw them, from 0 to the largest."""
    if not values:
        return ""
    step = max(1, len(values) // width)
    shown = [max(values[start : start + step]) for start in range(0, len(values), step)]
    top = max(shown) or 1
    return "".join(_BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] for value in shown)


def _at(samples: Sequence[Sample], role: str, mails: float) -> float:
    """Tell the CPU used when so many mails were done, between two samples."""
    before = samples[0]
    for sample in samples:
        if sample.done >= mails:
            if sample.done == before.done:
                return sample.cpu.get(role, 0.0)
            share = (mails - before.done) / (sample.done - before.done)
            return before.cpu.get(role, 0.0) + share * (
                sample.cpu.get(role, 0.0) - before.cpu.get(role, 0.0)
            )
        before = sample
    return samples[-1].cpu.get(role, 0.0)
