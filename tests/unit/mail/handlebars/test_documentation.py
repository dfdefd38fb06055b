"""What docs/templates.md says about the language is so."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from config.settings import Settings
from tasks.mail.handlebars import Limits
from tasks.mail.templates import faults
from tests.unit.mail.handlebars.samples import rendered


PAGE = (Path(__file__).parents[4] / "docs" / "templates.md").read_text("utf-8")
DATA = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
PARTIALS = dict(re.findall(r"`(\w+)`: `([^`]+)`", PAGE))
EXAMPLES = [
    (template.replace(r"\|", "|"), text)
    for template, text in re.findall(r"^\| `(.+?)` \| (?:`(.*)`)? ?\|$", PAGE, re.MULTILINE)
]
BOUNDS = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", PAGE, re.MULTILINE)


def test_there_are_examples() -> None:
    """The page's tables are found."""
    assert len(EXAMPLES) > 20
    assert set(PARTIALS) == {"short", "page"}


@pytest.mark.parametrize(("template", "text"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_examples(template: str, text: str) -> None:
    """Each example gives what stands beside it."""
    assert rendered(template, DATA, partials=PARTIALS) == text


def test_bounds() -> None:
    """Every bound is listed, with its default."""
    listed = {name: float(bound.replace(",", "")) for name, bound in BOUNDS}

    assert listed == {faults.BOUNDS[name]: bound for name, bound in asdict(Limits()).items()}


def test_settings() -> None:
    """The settings' defaults are those of the engine."""
    for name, bound in asdict(Limits()).items():
        assert Settings.model_fields[faults.BOUNDS[name].lower()].default == bound
