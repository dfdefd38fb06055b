"""The documentation of the settings cannot fall behind the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dotenv.parser import parse_stream

from config.console import ConsoleSettings
from config.flower import FlowerSettings
from config.settings import Settings
from tests.unit.config.conftest import NEEDED


ROOT = Path(__file__).parents[3]
FIELDS = {
    **Settings.model_fields,
    **FlowerSettings.model_fields,
    **ConsoleSettings.model_fields,
}
KNOWN = {name.upper() for name in FIELDS}
LINE = re.compile(r"^#?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
ROW = re.compile(r"^\| `([A-Z_]+)` \| ([^|]*) \|", re.MULTILINE)


def _defaults() -> dict[str, str]:
    defaults = {}
    for name, field in FIELDS.items():
        value = field.get_default(call_default_factory=True, validated_data={})
        text = str(value).lower() if isinstance(value, bool) else str(value)
        defaults[name.upper()] = "" if value is None else text.removesuffix(".0")
    return {**defaults, "TLS_OPTIONS": "{}", "FLOWER_ADDRESS": "127.0.0.1"}


def _example() -> str:
    return ROOT.joinpath(".env.example").read_text(encoding="utf-8")


def test_env_example_names_every_variable_once() -> None:
    """None is missing, none is invented."""
    named = [name for name, _ in LINE.findall(_example())]

    assert sorted(named) == sorted(KNOWN)


def test_env_example_gives_the_defaults() -> None:
    """What is commented out is what holds without it; what is needed is not commented out."""
    given = {name: value.strip("'") for name, value in LINE.findall(_example())}
    defaults = _defaults()

    assert {n: v for n, v in given.items() if n not in NEEDED} == {
        n: v for n, v in defaults.items() if n not in NEEDED
    }
    with ROOT.joinpath(".env.example").open(encoding="utf-8") as stream:
        assert {b.key for b in parse_stream(stream) if b.key} == set(NEEDED)


def test_env_example_works_as_it_is(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied to `.env`, with every comment taken away, it is valid."""
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    directory.joinpath(".env").write_text(
        re.sub(r"^#(?=[A-Z_]+=)", "", _example(), flags=re.MULTILINE)
    )

    Settings()
    FlowerSettings()
    ConsoleSettings()


def test_settings_page_has_every_variable_and_its_default() -> None:
    """docs/settings.md has one row for each variable, with the default that holds."""
    page = ROOT.joinpath("docs/settings.md").read_text(encoding="utf-8")
    rows = {name: cell.strip().strip("`") for name, cell in ROW.findall(page)}
    defaults = _defaults()

    assert sorted(rows) == sorted(KNOWN)
    for name, cell in rows.items():
        expected = "needed" if name in NEEDED else defaults[name] or "unset"
        assert cell.strip("*") == expected, name
