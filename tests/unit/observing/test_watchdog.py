"""Who is late, who is forgiven, and when a process is wedged."""

from __future__ import annotations

import math

from tasks.observing import pulses
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import Watchdog


def _watchdog(*found: Pulse) -> Watchdog:
    watchdog = Watchdog()
    for pulse in found:
        watchdog.watch(pulse)
    watchdog.look(0)
    return watchdog


def test_a_pulse_is_late_after_its_limit() -> None:
    """Not at the limit, but beyond it; and it is named."""
    watchdog = _watchdog(Pulse("loop", 10))

    watchdog.look(10)
    assert watchdog.late() == []
    assert not watchdog.look(1)

    assert watchdog.late() == ["loop: 11 s"]


def test_a_beat_makes_it_well_again() -> None:
    """However late it was."""
    pulse = Pulse("loop", 10)
    watchdog = _watchdog(pulse)
    watchdog.look(11)

    pulse.beat()
    watchdog.look(11)

    assert watchdog.late() == []


def test_the_process_is_over_a_while_later() -> None:
    """A fifth of the limit lies between, in which /healthz says so."""
    watchdog = _watchdog(Pulse("loop", 10))

    assert not watchdog.look(11)
    assert not watchdog.look(1)
    assert watchdog.look(1)


def test_the_notice_is_half_a_minute_at_most() -> None:
    """With a limit of an hour, too."""
    watchdog = _watchdog(Pulse("loop", 3600))

    assert not watchdog.look(3625)
    assert watchdog.look(10)


def test_rest_has_no_limit() -> None:
    """Its end is a beat."""
    pulse = Pulse("loop", 10)
    watchdog = _watchdog(pulse)

    with pulse.resting():
        assert not watchdog.look(1000)
        assert watchdog.late() == []
    assert not watchdog.look(5)
    assert not watchdog.look(5)

    assert watchdog.late() == []


def test_nobody_is_late_while_a_server_is_away() -> None:
    """And when it is back, there is the whole limit again."""
    watchdog = _watchdog(Pulse("loop", 10))
    watchdog.away = lambda: ["mongodb"]

    for _ in range(10):
        assert not watchdog.look(11)
    assert watchdog.late() == []

    watchdog.away = list
    assert not watchdog.look(10)
    assert watchdog.late() == []


def test_servers_are_asked_only_when_somebody_is_late() -> None:
    """A healthy process asks nobody."""
    watchdog = _watchdog(Pulse("loop", 10))
    asked: list[None] = []

    def away() -> list[str]:
        asked.append(None)
        return []

    watchdog.away = away
    watchdog.look(9)
    assert asked == []
    watchdog.look(9)

    assert len(asked) == 1


def test_what_is_forgotten_is_not_late() -> None:
    """A batch that has ended leaves nothing behind."""
    watchdog = Watchdog()
    with watchdog.watching(Pulse("batch", 1)):
        watchdog.look(0)
        watchdog.look(2)
        assert watchdog.late()

    assert watchdog.late() == []


def test_a_threads_beats_go_to_what_it_has_in_hand() -> None:
    """Code below a batch need not know it; without one its beats go nowhere."""
    pulse = Pulse("batch", math.inf)

    pulses.beat()
    with pulses.resting():
        pass
    with pulses.in_hand(pulse):
        pulses.beat()
        with pulses.resting():
            assert pulse.rests
    pulses.beat()

    assert pulse.beats == 2
    assert not pulse.rests
