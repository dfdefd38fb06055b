"""Where we differ from upstream on purpose."""

from __future__ import annotations

import pytest

from tasks.mail.handlebars import TemplateError
from tests.unit.mail.handlebars.samples import rendered


def test_numbers_side_by_side() -> None:
    """Two unescaped numbers stand side by side; upstream adds them at the start of a block."""
    assert rendered("{{{one}}}{{{two}}}", {"one": 1, "two": 2}) == "12"


def test_digits_of_large_integers() -> None:
    """A 64-bit integer of BSON keeps its digits: an order's number must not be rounded."""
    assert rendered("{{n}}", {"n": 1234567890123456789}) == "1234567890123456789"


def test_block_parameters_in_inline_partials() -> None:
    """An inline partial sees the block parameters around it; upstream fails."""
    source = '{{#each list as |x|}}{{#*inline "i"}}[{{x}}]{{/inline}}{{> i}}{{/each}}'
    assert rendered(source) == "[a][b][c]"


def test_block_parameters_of_sections() -> None:
    """A section over no list gives its block parameters no value, and not those around it."""
    source = "{{#each list as |i|}}{{#@root.map as |x|}}[{{x}}]{{/@root.map}}{{/each}}"
    assert rendered(source) == "[][][]"
    assert rendered("{{#list as |x i|}}{{i}}{{x}}{{/list}}") == "0a1b2c"


def test_decorator_without_a_block() -> None:
    """`{{*inline "x"}}` is an error: it cannot do anything. Upstream passes over it."""
    with pytest.raises(TemplateError, match="the only decorator"):
        rendered('{{*inline "x"}}')


def test_block_parameters_in_brackets() -> None:
    """A block parameter may stand in brackets; upstream fails."""
    assert rendered("{{#each list as |[a b]|}}{{[a b]}}{{/each}}") == "abc"


def test_fields_named_like_functions() -> None:
    """Fields have no meaning for us; upstream fails over maps with these keys."""
    assert rendered("{{map}}", {"map": {"toHTML": 1, "toString": 2}}) == "[object Object]"
