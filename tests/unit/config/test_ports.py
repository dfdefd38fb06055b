"""METRICS_PORT."""

from __future__ import annotations

import pytest

from config import ports
from config.ports import Ports


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9400", Ports(9400, 9400)),
        (" 9400 - 9409 ", Ports(9400, 9409)),
        ("0", Ports(0, 0)),
        ("65535", Ports(65535, 65535)),
    ],
)
def test_a_port_or_a_range(text: str, expected: Ports) -> None:
    """One number is a range of one; blanks do not matter."""
    assert ports.parse(text) == expected


@pytest.mark.parametrize("text", ["", "http", "9400-", "9409-9400", "0-9", "65536", "9400-70000"])
def test_anything_else_is_refused(text: str) -> None:
    """A range goes from a lower port to a higher one that exists; any free port is one port."""
    with pytest.raises(ValueError, match="must"):
        ports.parse(text)


@pytest.mark.parametrize("text", ["9400", "9400-9409", "0"])
def test_it_is_shown_as_it_was_written(text: str) -> None:
    """`python -m config` shows what `.env` would hold."""
    assert str(ports.parse(text)) == text
