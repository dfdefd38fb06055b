"""What keeps a file from being attached."""

from __future__ import annotations


class Unobtainable(Exception):
    """It cannot be had, nor later; the text follows the field's path ("is too large")."""


def too_large(limit: int) -> Unobtainable:
    """Say that a file has more than the bytes that are left for it."""
    return Unobtainable(f"has more than the {limit} bytes that MAX_MESSAGE_BYTES leaves for it")
