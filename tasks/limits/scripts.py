"""The Lua scripts of this package: each is one step for Redis, whatever happens to its caller."""

from __future__ import annotations

from pathlib import Path


def read(name: str) -> str:
    """Give a script's text."""
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
