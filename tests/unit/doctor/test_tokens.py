"""The time in a resume token."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.doctor import tokens


def test_the_time_of_a_token() -> None:
    """The first eight bytes behind the type are a timestamp: seconds, then a counter."""
    assert tokens.time_of({"_data": "8265E1F2A3000000012B0229296E04"}) == 0x65E1F2A3


@pytest.mark.parametrize("token", [None, 1, {}, *({"_data": x} for x in (1, "xx", "82", "81" * 9))])
def test_what_is_none(token: Any) -> None:
    """Nothing is known then."""
    assert tokens.time_of(token) is None
