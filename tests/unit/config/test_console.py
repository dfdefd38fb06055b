"""CONSOLE_*: closed to other machines unless there is a password."""

from __future__ import annotations

import pytest

from config import console
from config.console import ConsoleSettings
from config.errors import BadSettings


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ConsoleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_loopback_by_default() -> None:
    """Without any setting this machine alone reaches it, and no password is asked for."""
    settings = console.load()

    assert (settings.console_host, settings.console_port) == ("127.0.0.1", 5556)
    assert settings.password is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "console.example.com", ""])
def test_other_addresses_need_a_password(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whatever can be reached from elsewhere is refused; an empty one is the default."""
    monkeypatch.setenv("CONSOLE_HOST", host)
    if host:
        with pytest.raises(BadSettings, match="can be reached from other machines") as caught:
            console.load()
        assert len(caught.value.problems) == 1

    monkeypatch.setenv("CONSOLE_PASSWORD", "long enough")

    assert console.load().console_host == (host or "127.0.0.1")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CONSOLE_PASSWORD", "hidden", "must have at least 8 characters"),
        ("CONSOLE_PORT", "hidden", "must be a whole number"),
        ("CONSOLE_PORT", "70000", "must be at most 65535"),
        ("FLOWER_URL", "javascript:hidden", "must be http:// or https:// and a host"),
        ("FLOWER_URL", "http://", "must be http:// or https:// and a host"),
        ("FLOWER_URL", "http://[hidden", "is no URL"),
    ],
)
def test_wrong_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """One line, as for every other setting, without the value."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(BadSettings) as caught:
        console.load()

    [line] = caught.value.problems
    assert line.startswith(f"{variable}: {words}")
    assert "hidden" not in line


def test_a_short_password_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named alone: the address is not what is wrong."""
    monkeypatch.setenv("CONSOLE_PASSWORD", "short")
    monkeypatch.setenv("CONSOLE_HOST", "0.0.0.0")

    with pytest.raises(BadSettings) as caught:
        console.load()

    assert [line.partition(":")[0] for line in caught.value.problems] == ["CONSOLE_PASSWORD"]


def test_the_password_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the settings' repr, which logs and tracebacks may hold."""
    monkeypatch.setenv("CONSOLE_PASSWORD", "hidden-password")

    assert "hidden-password" not in repr(console.load())
