"""How many more mails the workers could send."""

from __future__ import annotations

import pytest
import redis
from pydantic import SecretStr

from config import rates
from config.settings import Settings
from tasks.lanes import Lane
from tasks.limits import keys
from tasks.limits.outlook import Circuit, Lookout, Outlook
from tasks.limits.permits import Ask, Permits, Standing
from tasks.limits.troubles import Troubles
from watcher.brakes import AHEAD, Brakes


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Ten mails a second."""
    return settings.model_copy(update={"rate_limit": rates.parse("10/second")})


@pytest.fixture
def lookout(client: redis.Redis, settings: Settings) -> Lookout:
    """Of the watcher."""
    return Lookout(client, settings)


def _ask(client: redis.Redis, lookout: Lookout, mails: int, standing: Standing) -> None:
    assert lookout.limit is not None
    Permits(client).ask([Ask(standing, [lookout.limit])] * mails, each=0)


def test_nothing_was_sent(lookout: Lookout) -> None:
    """Every slot is free, nobody has a turn."""
    assert lookout.look() == Outlook(Circuit.CLOSED, 0.0, 0.0, free=10)


def test_turns_reach_ahead(client: redis.Redis, lookout: Lookout) -> None:
    """Those of newcomers delay only other newcomers."""
    _ask(client, lookout, 60, Standing.NEWCOMER)

    outlook = lookout.look()

    assert outlook.free == 0
    assert outlook.first_ahead == 0
    assert outlook.ahead == pytest.approx(6, abs=0.5)


def test_turns_of_those_that_go_first_delay_everybody(
    client: redis.Redis, lookout: Lookout
) -> None:
    """They reach ahead for both."""
    _ask(client, lookout, 60, Standing.FIRST)

    outlook = lookout.look()

    assert outlook.first_ahead == outlook.ahead == pytest.approx(6, abs=1.5)


def test_slots_that_were_used_long_ago_are_free(client: redis.Redis, lookout: Lookout) -> None:
    """Only those within the window count."""
    limit = lookout.limit
    assert limit is not None
    _ask(client, lookout, 10, Standing.NEWCOMER)
    used = [int(each) for each in client.lrange(limit.log, 0, -1)]
    client.delete(limit.log)
    client.rpush(limit.log, *used[:4], *(each - 2_000_000 for each in used[4:]))

    assert lookout.look().free == 6


def test_without_limit_and_circuit_nobody_is_asked(settings: Settings) -> None:
    """There is nothing to know."""
    none = settings.model_copy(update={"rate_limit": None, "circuit_failures": 0})
    with redis.Redis(port=1) as nobody:
        assert Lookout(nobody, none).look() == Outlook(Circuit.CLOSED)


def test_one_among_several_holds_up_nobody(client: redis.Redis, settings: Settings) -> None:
    """Mails for the others are brought; only when all are away none are, but to try."""
    two = settings.model_copy(
        update={"sendgrid_api_key": SecretStr("SG.key"), "circuit_failures": 1}
    )
    lookout, seen = Lookout(client, two), []
    default, other = (Troubles(client, two, name) for name in ("default", "sendgrid"))
    default.failed()
    seen.append(lookout.look())
    other.failed()
    seen.append(lookout.look())
    circuit, lock = keys.circuit(two.broker_prefix, "sendgrid")
    client.hset(circuit, "until", 0)
    seen.append(lookout.look())
    client.set(lock, 1)
    seen.append(lookout.look())
    other.works()
    seen.append(lookout.look())

    assert lookout.limit is None
    assert seen == [
        Outlook(each)
        for each in (
            Circuit.CLOSED,
            Circuit.OPEN,
            Circuit.HALF_OPEN,
            Circuit.OPEN,
            Circuit.CLOSED,
        )
    ]


def test_room(lookout: Lookout) -> None:
    """What is free at once, and turns for some seconds; what was published is taken off."""
    brakes = Brakes(lookout)

    assert brakes.room(Lane.NORMAL) == 10 + AHEAD * 10
    brakes.gave(Lane.NORMAL, 15)
    assert brakes.room(Lane.NORMAL) == 10 + AHEAD * 10 - 15
    assert brakes.room(Lane.LOW) == 10 + AHEAD * 10 - 15
    assert brakes.room(Lane.HIGH) == 10 + AHEAD * 10


def test_room_when_turns_reach_far(client: redis.Redis, lookout: Lookout) -> None:
    """None for mails that queue up; high priority goes before them."""
    _ask(client, lookout, 60, Standing.NEWCOMER)
    brakes = Brakes(lookout)

    assert brakes.room(Lane.NORMAL) <= 0
    assert brakes.room(Lane.LOW) <= 0
    assert brakes.room(Lane.HIGH) == AHEAD * 10
