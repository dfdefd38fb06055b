"""docs/reliability.md names the tests that show its promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


PAGE = Path(__file__).parents[2] / "docs/reliability.md"
NAMED = re.compile(r"\[(test_\w+)\]\(([^)]+\.py)\)")


@pytest.mark.parametrize(
    ("name", "path"), sorted(set(NAMED.findall(PAGE.read_text(encoding="utf-8"))))
)
def test_the_tests_it_names_exist(name: str, path: str) -> None:
    """A renamed test takes its line of the table with it."""
    file = PAGE.parent / path

    assert f"\ndef {name}(" in file.read_text(encoding="utf-8")


def test_every_fault_has_a_test() -> None:
    """No row of the table without one."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]

    assert [row for row in rows[1:] if not NAMED.search(row)] == []
