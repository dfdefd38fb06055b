"""Names and addresses of machines."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a connection to this host stays inside the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_name(host: str) -> bool:
    """Tell whether Python's ssl, which encodes the name so, can ask for its certificate."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False
