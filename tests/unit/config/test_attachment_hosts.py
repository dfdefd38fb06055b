"""ATTACHMENT_HOSTS."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from config.attachment_hosts import parse


HOSTS = "Files.Example.com, *.cdn.example.com,10.0.0.0/8 , 127.0.0.1:8080,intern:9000,[::1]:81,"


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("files.example.com", 443, True),
        ("files.example.com", 80, True),
        ("files.example.com", 8080, False),
        ("example.com", 443, False),
        ("evilfiles.example.com", 443, False),
        ("files.example.com.evil.example", 443, False),
        ("a.cdn.example.com", 443, True),
        ("a.b.cdn.example.com", 443, True),
        ("cdn.example.com", 443, False),
        ("evilcdn.example.com", 443, False),
        ("intern", 9000, True),
        ("intern", 443, False),
        ("10.1.2.3", 80, True),
        ("10.1.2.3", 6379, False),
        ("11.1.2.3", 80, False),
        ("127.0.0.1", 8080, True),
        ("127.0.0.1", 80, False),
        ("::1", 81, True),
        ("::1", 80, False),
    ],
)
def test_hosts(host: str, port: int, *, allowed: bool) -> None:
    """A host is allowed by name, by the name's end or by address, at the usual ports or its own."""
    assert parse(HOSTS).allows(host, port) == allowed


def test_any_host() -> None:
    """A star is any host, and still no address that is not public."""
    hosts = parse("*")

    assert hosts.allows("files.example.com", 443)
    assert hosts.allows("93.184.216.34", 443)
    assert not hosts.allows("files.example.com", 8443)
    assert not hosts.allows_address(ip_address("10.0.0.1"), 443)


NOT_PUBLIC = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    """Loopback, link-local, private and other addresses of no public host, in all their forms."""
    assert not parse("*, files.example.com").allows_address(ip_address(address), 443)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:21f::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses(address: str) -> None:
    """A public address needs no entry of its own."""
    assert parse("files.example.com").allows_address(ip_address(address), 8443)


def test_listed_addresses() -> None:
    """An address that is listed may be connected to, at its port if it has one."""
    hosts = parse(HOSTS)

    assert hosts.allows_address(ip_address("10.1.2.3"), 9000)
    assert hosts.allows_address(ip_address("127.0.0.1"), 8080)
    assert not hosts.allows_address(ip_address("127.0.0.1"), 9000)
    assert not hosts.allows_address(ip_address("192.168.0.1"), 443)


@pytest.mark.parametrize(
    "text",
    [
        *("https://files.example.com", "a b", "files.example.com/x", "10.0.0.1/8", "10.0.0", "1.2"),
        *("a.*.example.com", "ex*mple.com", "[::1", "[x]:80", "a:b", "a:123456", "ü.example"),
    ],
)
def test_wrong_entries(text: str) -> None:
    """What is no host is refused with an example."""
    with pytest.raises(ValueError, match="must be hosts such as"):
        parse(text)


@pytest.mark.parametrize("text", ["a:0", "a:65536", "[::1]:99999"])
def test_wrong_ports(text: str) -> None:
    """A port that is none is refused."""
    with pytest.raises(ValueError, match="must have ports from 1 to 65535"):
        parse(text)
