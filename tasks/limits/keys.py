"""The names of the keys in Redis."""

from __future__ import annotations

from config.named_transports import DEFAULT


def limit(key_prefix: str, kind: str) -> str:
    """Begin the keys of one kind of limits."""
    return f"{key_prefix}limit:{kind}:"


def pauses(key_prefix: str, transport: str = DEFAULT) -> str:
    """Name the hash of domains that pause."""
    return f"{key_prefix}pauses:{transport}"


def circuit(key_prefix: str, transport: str = DEFAULT) -> tuple[str, str]:
    """Name the hash of a transport's circuit, and the lock of who probes."""
    name = f"{key_prefix}circuit:{transport}"
    return name, f"{name}:probe"
