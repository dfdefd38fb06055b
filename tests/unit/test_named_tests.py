"""docs/reliability.md and SECURITY.md name the tests that show what they promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
PAGES = ("docs/reliability.md", "SECURITY.md")
NAMED = re.compile(r"\[(test_\w+)\]\(([^)]+\.py)\)")


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "name", "path"),
    sorted({(page, *found) for page in PAGES for found in NAMED.findall(_text(page))}),
)
def test_the_tests_it_names_exist(page: str, name: str, path: str) -> None:
    """A renamed test takes its line of the table with it."""
    file = (ROOT / page).parent / path

    assert f"\ndef {name}(" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_row_has_a_test(page: str) -> None:
    """No promise without one."""
    rows = [line for line in _text(page).splitlines() if line.startswith("| ")]

    assert len(rows) > 10
    assert [row for row in rows[1:] if "](" not in row.split("|")[-2]] == []
