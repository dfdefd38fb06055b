from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import flower
from config.errors import BadSettings


#: Flower's options when neither environment nor command line says anything.
GIVEN: dict[str, Any] = {"address": "", "basic_auth": None, "auth": "", "unix_socket": ""}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without Flower's variables."""
    monkeypatch.chdir(tmp_path)
    for name in flower.FlowerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def test_loopback_by_default() -> None:
    """Flower's own default is every address of the machine; ours is not."""
    options = flower.options(flower.load(), GIVEN)

    assert options == {"address": "127.0.0.1", "port": 5555, "basic_auth": []}


@pytest.mark.parametrize("where", ["environment", "command line", ".env"])
def test_open_address_needs_credentials(
    monkeypatch: pytest.MonkeyPatch, directory: Path, where: str
) -> None:
    """Wherever the address comes from, without credentials Flower does not start."""
    given = GIVEN
    match where:
        case "environment":
            monkeypatch.setenv("FLOWER_ADDRESS", "0.0.0.0")
        case "command line":
            given = {**GIVEN, "address": "0.0.0.0"}
        case ".env":
            directory.joinpath(".env").write_text("FLOWER_ADDRESS=0.0.0.0\n")

    with pytest.raises(BadSettings, match=r"0\.0\.0\.0 can be reached from other machines"):
        flower.options(flower.load(), given)


def test_open_address_with_credentials(directory: Path) -> None:
    """With credentials, several even, it may listen where it is told to."""
    directory.joinpath(".env").write_text("FLOWER_BASIC_AUTH=a:one,b:two\nFLOWER_ADDRESS=::\n")

    options = flower.options(flower.load(), GIVEN)

    assert (options["address"], options["basic_auth"]) == ("::", ["a:one", "b:two"])


@pytest.mark.parametrize("protection", [{"auth": ".*@example.com"}, {"basic_auth": ["a:b"]}])
def test_credentials_of_the_command_line_count(protection: dict[str, Any]) -> None:
    """OAuth, or --basic-auth, is protection, too."""
    options = flower.options(flower.load(), {**GIVEN, "address": "0.0.0.0", **protection})

    assert options["basic_auth"] == protection.get("basic_auth", [])


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FLOWER_BASIC_AUTH", "secret", "must be user:password"),
        ("FLOWER_BASIC_AUTH", "a:b,secret", "must be user:password"),
        ("FLOWER_BASIC_AUTH", "a:", "must be user:password"),
        ("FLOWER_PORT", "secret", "must be a whole number"),
        ("FLOWER_PORT", "70000", "must be at most 65535"),
    ],
)
def test_wrong_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """One line, as for every other setting, without the value."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(BadSettings) as caught:
        flower.load()

    [line] = caught.value.problems
    assert line.startswith(f"{variable}: {words}")
    assert "secret" not in line


def test_empty_credentials_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOWER_BASIC_AUTH= (empty) is as good as not set: nothing to log in with, loopback only."""
    monkeypatch.setenv("FLOWER_BASIC_AUTH", "")

    options = flower.options(flower.load(), {**GIVEN, "basic_auth": [""]})

    assert options["basic_auth"] == []


def test_cookie_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set, it keeps sessions valid over restarts; it does not show in the settings' repr."""
    monkeypatch.setenv("FLOWER_COOKIE_SECRET", "hidden")

    settings = flower.load()

    assert flower.options(settings, GIVEN)["cookie_secret"] == "hidden"
    assert "hidden" not in repr(settings)
