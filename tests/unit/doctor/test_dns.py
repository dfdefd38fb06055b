"""SPF, DMARC and DKIM, asked of a DNS server that says what it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from config.checks import Level
from tasks.doctor import dns as checks


@contextmanager
def serving(texts: Mapping[str, list[str]]) -> Iterator[dns.resolver.Resolver]:
    """Run a DNS server that knows these TXT records, and no other name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(listener, texts))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = listener.getsockname()[1]
        try:
            yield resolver
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", listener.getsockname())
            thread.join()


def _answer(listener: socket.socket, texts: Mapping[str, list[str]]) -> None:
    while True:
        data, client = listener.recvfrom(4096)
        if not data:
            return
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        name = query.question[0].name
        known = texts.get(name.to_text(omit_final_dot=True))
        if known is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif query.question[0].rdtype == dns.rdatatype.NS:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "NS", "ns.example."))
        else:
            quoted = [" ".join(f'"{part}"' for part in text.split("|")) for text in known]
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", quoted))
        listener.sendto(reply.to_wire(), client)


GOOD = {
    "example.com": ["something else", "v=spf1 mx |-all"],
    "_dmarc.example.com": ["v=DMARC1; p=none"],
    "s1._domainkey.example.com": ["v=DKIM1; k=rsa; p=MIG|fMA0"],
}


def levels(texts: Mapping[str, list[str]], *selectors: str, of: str = "example.com") -> list[str]:
    with serving(texts) as resolver:
        found = checks.check(f"Shop <shop@{of}>", selectors, resolver)
    return [f"{each.subject} {each.level.name}" for each in found]


def test_all_is_well() -> None:
    """Long records come in parts; DMARC may stand at the domain above."""
    assert levels(GOOD, "s1") == ["SPF OK", "DMARC OK", "DKIM s1 OK"]
    below = {**GOOD, "mail.example.com": ["v=spf1 ip4:192.0.2.1 ~all"]}
    assert levels(below, of="mail.example.com") == ["SPF OK", "DMARC OK", "DKIM UNKNOWN"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"example.com": ["other"]}, ["SPF WARNING", "DMARC WARNING", "DKIM s1 WARNING"]),
        (
            {**GOOD, "example.com": ["v=spf1 -all", "v=spf1 mx"]},
            ["SPF WARNING", "DMARC OK", "DKIM s1 OK"],
        ),
        ({**GOOD, "example.com": ["v=spf1 +all"]}, ["SPF WARNING", "DMARC OK", "DKIM s1 OK"]),
        (
            {**GOOD, "s1._domainkey.example.com": ["v=DKIM1; p="]},
            ["SPF OK", "DMARC OK", "DKIM s1 WARNING"],
        ),
    ],
    ids=["none", "two of SPF", "everybody may send", "key revoked"],
)
def test_what_is_missing_or_wrong(texts: Mapping[str, list[str]], expected: list[str]) -> None:
    """A warning: mails go out, but may end as spam."""
    assert levels(texts, "s1") == expected


def test_a_domain_that_does_not_exist() -> None:
    """It is told from a network whose DNS knows nothing of the world."""
    assert levels({"com": []}) == ["DNS WARNING"]
    assert levels({}) == ["DNS UNKNOWN"]


def test_no_answer_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DNS does not answer, nothing is known."""
    monkeypatch.setattr(checks, "_PATIENCE", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = silent.getsockname()[1]
        found = checks.check("shop@example.com", ["s1"], resolver)

    assert {each.level for each in found} == {Level.UNKNOWN}
    assert all("DNS gives no answer" in each.text for each in found)


def test_a_local_domain_is_not_looked_up() -> None:
    """dev@localhost."""
    [found] = checks.check("dev@localhost")

    assert found.level is Level.UNKNOWN
