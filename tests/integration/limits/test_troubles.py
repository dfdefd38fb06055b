"""What workers tell each other of paused domains and of a server that is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from pydantic import SecretStr
from structlog.testing import capture_logs

from config.settings import Settings
from local import ports
from tasks.limits import keys, troubles
from tasks.limits.connect import connect
from tasks.limits.outlook import Circuit, Lookout
from tasks.limits.troubles import Gate, Troubles


Join = Callable[[], Troubles]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three failures open the circuit."""
    return settings.model_copy(update={"circuit_failures": 3, "circuit_seconds": 30.0})


@pytest.fixture
def join(client: redis.Redis, settings: Settings) -> Join:
    """Add a worker process."""
    return lambda: Troubles(client, settings)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is a fresh one."""
    monkeypatch.setattr(troubles, "FRESH", 0.0)


def _pass_by(client: redis.Redis, settings: Settings, seconds: float) -> None:
    """Let time pass: everything that Redis knows becomes older."""
    ago = round(seconds * 1000)
    circuit, _ = keys.circuit(settings.broker_prefix)
    if until := client.hget(circuit, "until"):
        client.hset(circuit, "until", int(until) - ago)
    pauses = keys.pauses(settings.broker_prefix)
    for domain, text in client.hgetall(pauses).items():
        ends, length = (int(each) for each in text.split())
        client.hset(pauses, domain, f"{ends - ago} {length}")


def test_a_pause_is_known_to_all(join: Join) -> None:
    """30 s for whoever looks; other domains do not pause."""
    one, other = join(), join()

    one.slow_down(["gmail.com"])

    [(domain, pause)] = other.picture().pauses.items()
    assert domain == "gmail.com"
    assert pause.until - time.monotonic() == pytest.approx(30, abs=1)
    assert pause.length == 30


def test_nobody_goes_ahead_of_the_first_look(
    join: Join, client: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen threads of a process that has been idle: each knows what there is to know."""
    monkeypatch.setattr(troubles, "FRESH", 1.0)
    join().slow_down(["gmail.com"])
    worker, start = Troubles(client, settings), threading.Barrier(16)

    def look() -> list[str]:
        start.wait()
        return list(worker.picture().pauses)

    with ThreadPoolExecutor(16) as pool:
        seen = [each.result() for each in [pool.submit(look) for _ in range(16)]]

    assert seen == [["gmail.com"]] * 16


def test_waiting_mails_spread_over_one_more_pause(join: Join) -> None:
    """They do not come all at once when it ends."""
    pause = join().slow_down(["gmail.com"])["gmail.com"]

    assert pause.wait(lambda: 0.0) == pytest.approx(30, abs=1)
    assert pause.wait(lambda: 1.0) == pytest.approx(60, abs=1)


def test_answers_of_mails_that_were_on_their_way_change_nothing(join: Join) -> None:
    """Twenty refusals at once make one pause."""
    workers = [join() for _ in range(4)]

    lengths = {
        worker.slow_down(["gmail.com"])["gmail.com"].length for _ in range(5) for worker in workers
    }

    assert lengths == {30}


def test_pauses_double_while_it_goes_on(
    join: Join, client: redis.Redis, settings: Settings
) -> None:
    """From 30 s to 15 min."""
    worker, lengths = join(), []
    for _ in range(7):
        pause = worker.slow_down(["gmail.com"])["gmail.com"]
        lengths.append(pause.length)
        _pass_by(client, settings, 1.5 * pause.length)

    assert lengths == [30, 60, 120, 240, 480, 900, 900]


def test_a_quiet_domain_is_forgotten(join: Join, client: redis.Redis, settings: Settings) -> None:
    """After twice the pause without a refusal the next one begins with 30 s."""
    worker = join()
    worker.slow_down(["gmail.com", "example.com"])
    _pass_by(client, settings, 31)
    worker.slow_down(["gmail.com"])
    _pass_by(client, settings, 60 + 2 * 60 + 1)

    assert worker.picture().pauses == {}
    assert worker.slow_down(["gmail.com"])["gmail.com"].length == 30
    assert client.hkeys(keys.pauses(settings.broker_prefix)) == [b"gmail.com"]


def test_failures_in_a_row_open_the_circuit_for_all(join: Join) -> None:
    """The first three are paid for by a mail each; from then on it is known."""
    one, other = join(), join()

    failures = [worker.failed() for worker in (one, other, one, other, one)]

    assert [each and (each.known, each.open) for each in failures] == [
        (False, False),
        (False, False),
        (False, True),
        (True, True),
        (True, True),
    ]
    assert one.is_open
    assert other.is_open
    assert join().gate() is Gate.OPEN


def test_an_answer_in_between_begins_the_count_anew(join: Join) -> None:
    """Only failures in a row count."""
    one, other = join(), join()
    one.failed()
    one.failed()
    assert other.picture().failures == 2

    other.works()

    assert [each and each.open for each in (one.failed(), one.failed())] == [False, False]
    assert not one.is_open
    assert one.gate() is Gate.CLOSED


def test_one_probes_when_the_time_is_over(
    join: Join, client: redis.Redis, settings: Settings
) -> None:
    """All others wait until it says how it went."""
    workers = [join() for _ in range(4)]
    for worker in workers:
        worker.failed()
    _pass_by(client, settings, 2)

    gates = [worker.gate() for worker in workers]

    assert gates == [Gate.PROBE, Gate.OPEN, Gate.OPEN, Gate.OPEN]


def test_a_probe_that_works_closes_it_for_all(
    join: Join, client: redis.Redis, settings: Settings
) -> None:
    """At once, and nothing of it is left."""
    one, other = join(), join()
    for _ in range(3):
        one.failed()
    _pass_by(client, settings, 2)
    assert one.gate() is Gate.PROBE

    one.works()

    assert one.gate() is other.gate() is Gate.CLOSED
    assert client.exists(*keys.circuit(settings.broker_prefix)) == 0


def test_a_probe_that_fails_waits_twice_as_long(
    join: Join, client: redis.Redis, settings: Settings
) -> None:
    """1, 2, 4 … 30 s; no mail pays for it."""
    worker, circuit = join(), keys.circuit(settings.broker_prefix)[0]
    for _ in range(3):
        worker.failed()
    lengths = []
    for _ in range(7):
        lengths.append(int(client.hget(circuit, "length") or 0) / 1000)
        _pass_by(client, settings, lengths[-1] + 0.1)
        assert worker.gate() is Gate.PROBE
        failed = worker.failed()
        assert failed is not None
        assert failed.known
        assert worker.gate() is Gate.OPEN

    assert lengths == [1, 2, 4, 8, 16, 30, 30]


def test_a_prober_that_died_is_replaced(
    join: Join, client: redis.Redis, settings: Settings
) -> None:
    """Its lock lasts as long as a lease."""
    worker, (_, lock) = join(), keys.circuit(settings.broker_prefix)
    for _ in range(3):
        worker.failed()
    _pass_by(client, settings, 2)
    assert worker.gate() is Gate.PROBE

    assert 0 < client.pttl(lock) <= settings.lease_seconds * 1000
    client.delete(lock)  # as when that time has passed
    assert worker.gate() is Gate.PROBE


def test_without_a_circuit_nobody_counts(client: redis.Redis, settings: Settings) -> None:
    """CIRCUIT_FAILURES=0."""
    worker = Troubles(client, settings.model_copy(update={"circuit_failures": 0}))

    assert [worker.failed() for _ in range(10)] == [None] * 10
    assert not worker.is_open
    assert worker.gate() is Gate.CLOSED
    assert client.exists(*keys.circuit(settings.broker_prefix)) == 0


def test_redis_may_lose_everything(join: Join, client: redis.Redis, settings: Settings) -> None:
    """Then nothing pauses, and the circuit is closed."""
    worker = join()
    worker.slow_down(["gmail.com"])
    for _ in range(3):
        worker.failed()

    client.delete(keys.pauses(settings.broker_prefix), *keys.circuit(settings.broker_prefix))
    client.script_flush()

    assert worker.picture().pauses == {}
    assert worker.gate() is Gate.CLOSED


def test_without_redis_everybody_tries_for_himself(settings: Settings) -> None:
    """Nothing pauses, nothing is counted, nothing raises; it is said once."""
    away = settings.model_copy(
        update={"celery_broker_url": SecretStr(f"redis://127.0.0.1:{ports.free()}/0")}
    )
    with connect(away) as client, capture_logs() as logs:
        worker = Troubles(client, away)

        assert worker.slow_down(["gmail.com"]) == {}
        assert worker.failed() is None
        assert worker.picture().pauses == {}
        assert worker.gate() is Gate.CLOSED
        assert not worker.is_open
    assert [each["event"] for each in logs] == ["troubles.unknown"]


def test_all_is_well_costs_no_command_a_mail(
    join: Join, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing has failed, thousands of mails ask Redis once in a second."""
    monkeypatch.setattr(troubles, "FRESH", 1.0)
    worker = join()
    worker.gate()
    before = client.info("commandstats")

    for _ in range(5000):
        assert worker.gate() is Gate.CLOSED
        assert not worker.is_open
        worker.works()

    after = client.info("commandstats")
    calls = [stats.get("cmdstat_hgetall", {"calls": 0})["calls"] for stats in (before, after)]
    assert calls[1] - calls[0] <= 2


def test_the_watcher_sees_the_circuit(join: Join, client: redis.Redis, settings: Settings) -> None:
    """Closed; open; a probe is wanted; somebody probes; closed again."""
    worker, lookout, seen = join(), Lookout(client, settings), []

    def look() -> None:
        seen.append(lookout.look().circuit)

    look()
    for _ in range(3):
        worker.failed()
    look()
    _pass_by(client, settings, 2)
    look()
    worker.gate()
    look()
    worker.works()
    look()

    assert seen == [
        Circuit.CLOSED,
        Circuit.OPEN,
        Circuit.HALF_OPEN,
        Circuit.OPEN,
        Circuit.CLOSED,
    ]
