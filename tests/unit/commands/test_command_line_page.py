"""docs/command-line.md cannot fall behind the commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest
import typer.main
from typer.core import TyperGroup

from tasks.__main__ import cli
from tasks.commands.exits import Exit
from tasks.operating.filters import STATES


ROOT = Path(__file__).parents[3]
PAGE = ROOT.joinpath("docs/command-line.md").read_text(encoding="utf-8")
COMMANDS = cast(TyperGroup, typer.main.get_command(cli)).commands


def test_every_command_has_a_line() -> None:
    """None is missing, none is invented."""
    table = PAGE.split("\n\n```")[0]

    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == set(COMMANDS)


def test_every_exit_code_has_a_line() -> None:
    """And bad settings' 78, which config/errors.py has."""
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}

    assert codes == {*Exit, 78}


def test_every_state_is_named() -> None:
    """What --state takes."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| `--state`"))

    assert set(re.findall(r"`([A-Z]+)`", row)) == set(STATES)


@pytest.mark.parametrize("line", re.findall(r"^python -m tasks (.+)$", PAGE, re.MULTILINE))
def test_every_example_is_understood(line: str) -> None:
    """Its command and its options exist."""
    name, *words = line.split()
    known = {option for each in COMMANDS[name].params for option in each.opts}

    assert {word for word in words if word.startswith("--")} <= known
