"""EVENTS_URL, EVENTS_SECRET and EVENTS_HANDLER belong together."""

from __future__ import annotations

from config.events import TYPES
from tests.unit.config.conftest import Problems, Read


URL, SECRET = "https://example.com/hook", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_nobody_is_told_by_default(read: Read) -> None:
    """Events are off, and would be all of them."""
    ours = read()

    assert (ours.events_url, ours.events_handler) == (None, None)
    assert ours.events_types.names == TYPES


def test_a_url_needs_a_secret(problems: Problems) -> None:
    """Unsigned events could come from anybody."""
    [line] = problems(EVENTS_URL=URL)

    assert line.startswith("EVENTS_URL: needs EVENTS_SECRET")


def test_one_receiver(problems: Problems) -> None:
    """Of two, each would wait for the other."""
    [line] = problems(EVENTS_URL=URL, EVENTS_SECRET=SECRET, EVENTS_HANDLER="ours:told")

    assert "exclude each other" in line


def test_a_secret_is_not_shown(problems: Problems) -> None:
    """Not even a wrong one."""
    [line] = problems(EVENTS_URL=URL, EVENTS_SECRET="short-one")

    assert line.startswith("EVENTS_SECRET: must be at least 24 bytes")
    assert "short-one" not in line


def test_a_function_is_named_by_its_module(problems: Problems) -> None:
    """`module:function`."""
    [line] = problems(EVENTS_HANDLER="ours.mail.told")

    assert "must be module:function" in line
