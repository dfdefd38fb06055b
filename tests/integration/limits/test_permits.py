"""Slots and turns: the script against a real server."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import pytest
import redis

from config.settings import Settings
from tasks.limits.limits import Limit
from tasks.limits.permits import (
    FARTHEST,
    HORIZON,
    LEAD,
    Ask,
    LongQueue,
    Permits,
    Slot,
    Standing,
    Turn,
)
from tests.integration.limits.conftest import limit_of, limits_of


NEWCOMER, APPOINTED, FIRST = Standing


@pytest.fixture
def permits(client: redis.Redis) -> Permits:
    """Of one worker."""
    return Permits(client)


def ask(
    permits: Permits, *limits: Limit, mails: int = 1, standing: Standing = NEWCOMER
) -> list[Slot | Turn | LongQueue]:
    """Ask for some mails at once, which take no time to send."""
    return permits.ask([Ask(standing, limits)] * mails, each=0)


def slots_of(answers: Sequence[object]) -> list[Slot]:
    return [each for each in answers if isinstance(each, Slot)]


def turns_of(answers: Sequence[object]) -> list[Turn]:
    return [each for each in answers if isinstance(each, Turn)]


def test_a_whole_window_may_go_out_at_once(permits: Permits, settings: Settings) -> None:
    """The limit is for any window: nobody waits before it is used up."""
    limit = limit_of(settings, "20/minute")

    answers = ask(permits, limit, mails=25)

    slots = slots_of(answers)
    assert len(slots) == 20
    assert all(slot.not_before <= time.monotonic() for slot in slots)
    assert all(isinstance(each, Turn) for each in answers[20:])


def test_turns_follow_each_other_at_the_rate(permits: Permits, settings: Settings) -> None:
    """The first comes when the window of the first slot is over, the others in between."""
    limit = limit_of(settings, "20/minute")
    ask(permits, limit, mails=20)

    turns = [turn.seconds for turn in turns_of(ask(permits, limit, mails=10))]

    assert turns == pytest.approx([60.5 - LEAD + 3 * n for n in range(10)], abs=1)
    assert {turn.limit.name for turn in turns_of(ask(permits, limit))} == {"default"}


def test_slots_come_after_each_other_for_one_thread(permits: Permits, settings: Settings) -> None:
    """Mails that one thread sends have slots as far apart as it needs to send one."""
    limit = limit_of(settings, "100/second")

    slots = slots_of(permits.ask([Ask(NEWCOMER, [limit])] * 5, each=0.05))

    apart = [b.microseconds - a.microseconds for a, b in itertools.pairwise(slots)]
    assert apart == [50_000] * 4


def test_a_mail_has_a_slot_of_every_limit_or_of_none(
    permits: Permits, settings: Settings, client: redis.Redis
) -> None:
    """A domain that is used up costs the others nothing."""
    limits = limits_of(settings, "100/50 seconds", "gmail.com=1/minute")
    both, transport = limits.of(["a@gmail.com"]), limits.transport
    assert transport is not None

    answers = permits.ask([Ask(NEWCOMER, both)] * 3, each=0)

    assert len(slots_of(answers)) == 1
    assert {turn.limit.name for turn in turns_of(answers)} == {"gmail.com"}
    assert client.llen(transport.log) == 1
    assert len(slots_of(ask(permits, transport, mails=99))) == 99


def test_a_used_up_domain_lets_others_pass(permits: Permits, settings: Settings) -> None:
    """A thousand waiting mails of one domain keep no mail of another from its slot."""
    limits = limits_of(settings, "100/second", "gmail.com=1/minute")
    permits.ask([Ask(NEWCOMER, limits.of(["a@gmail.com"]))] * 1000, each=0)

    [answer] = permits.ask([Ask(NEWCOMER, limits.of(["a@example.com"]))], each=0)

    assert isinstance(answer, Slot)


def test_newcomers_queue_behind_whoever_has_a_turn(permits: Permits, settings: Settings) -> None:
    """A slot that has become free is for the mail whose turn it is."""
    limit = limit_of(settings, "20/minute")
    ask(permits, limit, mails=22)
    slots = slots_of(ask(permits, limit, standing=FIRST))
    assert slots == []
    _pass_by(permits, limit, seconds=61)

    [newcomer] = ask(permits, limit)
    [appointed] = ask(permits, limit, standing=APPOINTED)
    [first] = ask(permits, limit, standing=FIRST)

    assert isinstance(newcomer, Turn)
    assert isinstance(appointed, Slot)
    assert isinstance(first, Slot)


def test_high_priority_waits_for_the_next_slot_only(permits: Permits, settings: Settings) -> None:
    """However many turns were given: a mail that goes first has its turn when a slot is free."""
    limit = limit_of(settings, "10/minute")
    ask(permits, limit, mails=100)

    [normal] = turns_of(ask(permits, limit))
    high = [turn.seconds for turn in turns_of(ask(permits, limit, mails=3, standing=FIRST))]

    assert normal.seconds > 500
    assert high == pytest.approx([60.5 - LEAD + 6 * n for n in range(3)], abs=1)


def test_a_long_window_keeps_some_mails_for_high_priority(
    permits: Permits, settings: Settings
) -> None:
    """A newsletter that uses up the day leaves one mail of 25 for password resets."""
    limit = limit_of(settings, "100/day")

    assert len(slots_of(ask(permits, limit, mails=150))) == 96
    assert slots_of(ask(permits, limit, mails=5, standing=APPOINTED)) == []
    assert len(slots_of(ask(permits, limit, mails=5, standing=FIRST))) == 4


def test_a_reserve_that_was_used_is_kept_again(permits: Permits, settings: Settings) -> None:
    """In no window do the others use more than their part; high priority may use all."""
    limit = limit_of(settings, "100/day")
    assert len(slots_of(ask(permits, limit, mails=50, standing=FIRST))) == 50
    assert len(slots_of(ask(permits, limit, mails=100))) == 46
    assert len(slots_of(ask(permits, limit, mails=100, standing=FIRST))) == 4
    _pass_by(permits, limit, seconds=86_401)

    assert len(slots_of(ask(permits, limit, mails=150, standing=APPOINTED))) == 96


def test_a_mail_that_lost_its_slot_comes_again_soon(permits: Permits, settings: Settings) -> None:
    """Not at the end of the queue; those behind it move up by one."""
    limit = limit_of(settings, "10/minute")
    ask(permits, limit, mails=100)
    [before] = turns_of(ask(permits, limit))

    [again] = turns_of(ask(permits, limit, standing=APPOINTED))
    [after] = turns_of(ask(permits, limit))

    assert again.seconds < 61
    assert after.seconds - before.seconds == pytest.approx(2 * 6, abs=1)


def test_a_slot_that_is_near_is_waited_for(permits: Permits, settings: Settings) -> None:
    """Within the horizon the mail keeps its slot; high priority looks farther."""
    limit = limit_of(settings, "1/second")
    ask(permits, limit)

    assert isinstance(ask(permits, limit, standing=APPOINTED)[0], Turn)
    [slot] = slots_of(ask(permits, _soon(limit, HORIZON / 2), standing=APPOINTED))
    assert 0 < slot.not_before - time.monotonic() < HORIZON


def test_turns_end_after_an_hour(permits: Permits, settings: Settings) -> None:
    """Beyond it a mail gets none, and the line does not grow: the limit may be raised meanwhile."""
    limit = limit_of(settings, "1/minute")

    answers = [each for _ in range(10) for each in ask(permits, limit, mails=100)]

    assert len(slots_of(answers)) == 1
    assert 55 <= len(turns_of(answers)) <= FARTHEST / 60 + 1
    assert isinstance(answers[-1], LongQueue)
    assert max(turn.seconds for turn in turns_of(answers)) <= FARTHEST


def test_a_raised_limit_holds_at_once(permits: Permits, settings: Settings) -> None:
    """What was sent still counts; turns of the old limit do not."""
    ask(permits, limit_of(settings, "10/50 seconds"), mails=100)

    answers = ask(permits, limit_of(settings, "100/50 seconds"), mails=100)

    assert len(slots_of(answers)) == 90


def test_a_lowered_limit_holds_at_once(permits: Permits, settings: Settings) -> None:
    """Workers of both settings may run: none forgets what the other needs to know."""
    high, low = limit_of(settings, "100/50 seconds"), limit_of(settings, "10/50 seconds")
    ask(permits, high, mails=50)

    assert slots_of(ask(permits, low, mails=20)) == []
    assert len(slots_of(ask(permits, high, mails=100))) == 50


def test_a_late_mail_delays_the_next_of_its_chain(permits: Permits, settings: Settings) -> None:
    """The window counts from when the mail was through, not from when it might have been."""
    limit = limit_of(settings, "1/minute")
    [slot] = slots_of(ask(permits, limit))
    ago = _pass_by(permits, limit, seconds=20)
    slot.microseconds -= ago

    slot.ended = slot.expected + 10
    permits.sent([slot], usual=0.5)

    [turn] = turns_of(ask(permits, limit))
    assert turn.seconds == pytest.approx(60 - 20 + 10 - LEAD, abs=0.5)


def test_a_mail_in_time_delays_nobody(
    permits: Permits, settings: Settings, client: redis.Redis
) -> None:
    """What all mails need counts for none, and a little is within the tolerance."""
    limit = limit_of(settings, "1/minute")
    [slot] = slots_of(ask(permits, limit))
    before = client.lrange(limit.log, 0, -1)

    slot.ended = slot.expected + 3
    permits.sent([slot], usual=2.8)

    assert client.lrange(limit.log, 0, -1) == before


def test_a_slot_without_a_mail_is_free_for_another(permits: Permits, settings: Settings) -> None:
    """Given back, it may be given at once; the one before it still counts."""
    limit = limit_of(settings, "2/minute")
    slots = slots_of(ask(permits, limit, mails=2))

    permits.unused(slots[:1])

    assert len(slots_of(ask(permits, limit, mails=2, standing=APPOINTED))) == 1


def test_a_slot_is_lost_when_the_next_may_have_been_given(settings: Settings) -> None:
    """A quarter of the window after its time nobody may use it any more."""
    limit, now = limit_of(settings, "14/second"), time.monotonic()

    assert Slot(now - 0.6, now - 0.6, 0, [limit]).is_lost
    assert not Slot(now - 0.1, now - 0.1, 0, [limit]).is_lost
    assert not Slot(now - 0.6, now - 0.6, 0, [limit_of(settings, "14/minute")]).is_lost


def test_a_clock_that_was_set_back_stops_nobody(
    permits: Permits, settings: Settings, client: redis.Redis
) -> None:
    """Slots and turns of a time that is yet to come are forgotten."""
    limit = limit_of(settings, "2/second")
    ask(permits, limit, mails=10)
    _pass_by(permits, limit, seconds=-20_000)

    assert len(slots_of(ask(permits, limit, mails=10))) == 2
    assert max(turn.seconds for turn in turns_of(ask(permits, limit, mails=10))) < 30
    assert client.llen(limit.log) == 2


def test_redis_forgets_what_does_not_matter_any_more(
    permits: Permits, settings: Settings, client: redis.Redis
) -> None:
    """Every key expires after its window, or its last turn, and a minute; the log has its bound."""
    limit = limit_of(settings, "10/minute")
    for _ in range(3):
        _pass_by(permits, limit, seconds=61)
        ask(permits, limit, mails=20, standing=APPOINTED)

    assert client.llen(limit.log) == 10
    assert 60_500 < client.pttl(limit.log) <= 60_500 + 60_000
    assert client.pttl(limit.line) > 60_000


def test_redis_may_lose_everything(
    permits: Permits, settings: Settings, client: redis.Redis
) -> None:
    """Scripts and slots gone: the next call goes on with nothing known."""
    limit = limit_of(settings, "10/minute")
    ask(permits, limit, mails=20)

    client.delete(limit.log, limit.line)
    client.script_flush()

    assert len(slots_of(ask(permits, limit, mails=20))) == 10


def _soon(limit: Limit, seconds: float) -> Limit:
    """Make the limit as if most of its window were over."""

    class Later(Limit):
        @property
        def window(self) -> float:
            return seconds

    return Later(limit.name, limit.rate, limit.prefix)


def _pass_by(permits: Permits, limit: Limit, *, seconds: float) -> int:
    """Let time pass: everything that Redis knows becomes older, by so many microseconds."""
    client: redis.Redis = permits._grant.registered_client  # type: ignore[assignment]
    ago = int(seconds * 1e6)
    moved = [int(each) - ago for each in client.lrange(limit.log, 0, -1)]
    if moved:
        client.delete(limit.log)
        client.rpush(limit.log, *moved)
    for side, turn in client.hgetall(limit.line).items():
        client.hset(limit.line, side, int(turn) - ago)
    return ago
