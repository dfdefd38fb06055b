"""Who is logged in, and how often a password may be tried."""

from __future__ import annotations

from console import sessions, throttle
from console.sessions import Sessions, is_token
from console.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_password_is_known_whole() -> None:
    """Nothing else opens: no part of it, no empty one, and none when none is set."""
    ours = Sessions("correct horse")

    assert ours.knows("correct horse")
    assert not any(ours.knows(other) for other in ("", "correct", "correct horse ", "\ud800"))
    assert not Sessions(None).knows("")


def test_a_session_ends_when_it_is_unused() -> None:
    """Each use prolongs it, to a limit."""
    clock = Clock()
    ours = Sessions(None, clock)
    session = ours.begin()

    clock.now += sessions.IDLE
    assert ours.find(session.key) is session
    clock.now += sessions.IDLE + 1
    assert not ours.holds(session)
    assert ours.find(session.key) is None


def test_a_session_does_not_last_for_ever() -> None:
    """However often it is used."""
    clock = Clock()
    ours = Sessions(None, clock)
    session = ours.begin()

    while clock.now < 1000 + sessions.LONGEST:
        assert ours.find(session.key) is session
        clock.now += sessions.IDLE
    clock.now += 1
    assert ours.find(session.key) is None


def test_sessions_are_bounded() -> None:
    """The one that was unused for longest makes room."""
    ours = Sessions(None)
    first, second = ours.begin(), ours.begin()
    ours.find(first.key)
    for _ in range(sessions.MOST - 1):
        ours.begin()

    assert ours.find(first.key) is first
    assert ours.find(second.key) is None


def test_a_token_is_its_sessions_own() -> None:
    """Another session's token opens nothing, nor does none."""
    ours = Sessions(None)
    session, other = ours.begin(), ours.begin()

    assert is_token(session, session.token)
    assert not any(is_token(session, token) for token in (None, "", other.token, session.key, "é"))


def test_a_few_tries_then_a_wait() -> None:
    """The sixth try within a minute waits until the first is a minute old; others may try."""
    clock = Clock()
    ours = Throttle(clock)
    for _ in range(throttle.PER_CLIENT):
        assert ours.take("192.0.2.1") == 0
        clock.now += 1

    assert ours.take("192.0.2.1") == throttle.WINDOW - throttle.PER_CLIENT
    assert ours.take("192.0.2.2") == 0
    clock.now += throttle.WINDOW
    assert ours.take("192.0.2.1") == 0


def test_who_has_many_addresses_gets_no_further() -> None:
    """All tries together are limited, and one IPv6 network counts as one."""
    ours = Throttle(Clock())
    assert [ours.take(f"2001:db8::{n}") for n in range(6)] == [0, 0, 0, 0, 0, throttle.WINDOW]
    allowed = sum(ours.take(f"10.0.{n // 250}.{n % 250}") == 0 for n in range(5000))

    assert allowed == throttle.IN_ALL - throttle.PER_CLIENT


def test_whoever_knows_the_password_is_not_kept_out() -> None:
    """A login takes its tries back; those of others still count."""
    ours = Throttle(Clock())
    ours.take("192.0.2.9")
    for _ in range(100):
        assert ours.take("192.0.2.1") == 0
        ours.forgive("192.0.2.1")
    assert [ours.take("192.0.2.9") > 0 for _ in range(5)] == [False] * 4 + [True]
