"""ATTACHMENT_HOSTS: from where attachments may be fetched.

Whoever writes documents could otherwise have the worker read from servers that only it can reach
(server-side request forgery). So names must be listed, and addresses that are not public, too.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORM = "files.example.com, *.example.com, 10.0.0.0/8, 127.0.0.1:8080 or *"
_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\*")
_WITH_PORT = re.compile(r"\[([^\]]*:[^\]]*)\](?::(\d{1,5}))?|([^:\[\]]*):(\d{1,5})")
_DEFAULT_PORTS = (80, 443)
_HIGHEST_PORT = 65_535

#: IPv6 networks that carry an IPv4 address in their last bits (RFC 6052, RFC 8215).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """`names` and `networks`, each with the one port that is meant; None: the usual ones."""

    names: tuple[tuple[str, int | None], ...] = ()
    networks: tuple[tuple[Network, int | None], ...] = ()

    def allows(self, host: str, port: int) -> bool:
        """Tell whether a URL may have this host: a name in lower case, or an address."""
        address = _address(host)
        if address is not None and any(
            address in net and _fits(p, port) for net, p in self.networks
        ):
            return True
        return any(_matches(name, host) and _fits(p, port) for name, p in self.names)

    def allows_address(self, address: Address, port: int) -> bool:
        """Tell whether to connect to an address that a name stands for, or a URL has."""
        listed = any(address in network and p in (None, port) for network, p in self.networks)
        return listed or _is_public(address)


def parse(text: str) -> AllowedHosts:
    """Read the setting; raises ValueError."""
    names: list[tuple[str, int | None]] = []
    networks: list[tuple[Network, int | None]] = []
    for entry in filter(None, (entry.strip().lower() for entry in text.split(","))):
        host, port = _split(entry)
        try:
            networks.append((ipaddress.ip_network(host), port))
        except ValueError:
            # A name of digits alone is a mistaken address.
            if not _NAME.fullmatch(host) or not host.strip("0123456789."):
                raise ValueError(f"must be hosts such as {_FORM}, with commas between") from None
            names.append((host, port))
    return AllowedHosts(tuple(names), tuple(networks))


def _split(entry: str) -> tuple[str, int | None]:
    match = _WITH_PORT.fullmatch(entry)
    if match is None:
        return entry, None
    host, port = match[1] or match[3], match[2] or match[4]
    if port and not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f"must have ports from 1 to {_HIGHEST_PORT}")
    return host, int(port) if port else None


def _matches(name: str, host: str) -> bool:
    return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


def _fits(listed: int | None, port: int) -> bool:
    return port in _DEFAULT_PORTS if listed is None else port == listed


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(inner)
        if address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast
