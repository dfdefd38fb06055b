"""SPF (RFC 7208), DMARC (RFC 9989 and 7489) and DKIM (RFC 6376) of the sender's domain.

Receivers look there whether a mail may come from this domain. Where DNS does not answer, nothing
is known, and nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import parseaddr
from functools import partial

import dns.exception
import dns.resolver
import idna

from config.checks.finding import Finding, Level


#: Seconds for one answer.
_PATIENCE = 2.0
_NO_ANSWER = "DNS gives no answer here"
_LEAST_LABELS = 2


class _NoAnswerError(Exception):
    """No server could be asked."""


def check(
    mailbox: str, selectors: Sequence[str] = (), resolver: dns.resolver.Resolver | None = None
) -> list[Finding]:
    """Look up the records of a mailbox's domain; `selectors`: the names of its DKIM keys."""
    domain = _domain(mailbox)
    if domain.count(".") < 1:
        return [Finding("DNS", Level.UNKNOWN, f"{domain} is no public domain: nothing to look up")]
    try:
        asked = resolver or dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return [Finding("DNS", Level.UNKNOWN, _NO_ANSWER)]
    if not _exists(asked, domain):
        return [_unknown_domain(asked, domain)]
    found = []
    questions: list[tuple[str, Callable[[], Finding]]] = [
        ("SPF", partial(_spf, asked, domain)),
        ("DMARC", partial(_dmarc, asked, domain)),
        *((f"DKIM {each}", partial(_dkim, asked, domain, each)) for each in selectors),
    ]
    for subject, ask in questions:
        try:
            found.append(ask())
        except _NoAnswerError:
            found.append(Finding(subject, Level.UNKNOWN, f"{_NO_ANSWER} for {domain}"))
    if not selectors:
        text = "not looked up: DNS tells a key only by its name"
        found.append(Finding("DKIM", Level.UNKNOWN, text, "give it: --dkim-selector NAME"))
    return found


def _domain(mailbox: str) -> str:
    domain = parseaddr(mailbox)[1].rpartition("@")[2]
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


def _exists(resolver: dns.resolver.Resolver, domain: str) -> bool:
    try:
        resolver.resolve(domain, "TXT", lifetime=_PATIENCE)
    except dns.resolver.NXDOMAIN:
        return False
    except (dns.exception.DNSException, OSError):
        return True  # each question below says for itself that there is no answer
    return True


def _unknown_domain(resolver: dns.resolver.Resolver, domain: str) -> Finding:
    """Tell a domain that does not exist from a network whose DNS knows nothing of the world."""
    try:
        resolver.resolve(f"{domain.rpartition('.')[2]}.", "NS", lifetime=_PATIENCE)
    except (dns.exception.DNSException, OSError):
        return Finding("DNS", Level.UNKNOWN, f"{_NO_ANSWER} for {domain}")
    text = f"{domain} does not exist: many receivers refuse such a sender"
    return Finding("DNS", Level.WARNING, text, "correct DEFAULT_FROM")


def _spf(resolver: dns.resolver.Resolver, domain: str) -> Finding:
    records = [each for each in _texts(resolver, domain) if _is_spf(each)]
    if not records:
        advice = "publish a TXT record: v=spf1 … with the servers that send for you"
        return Finding("SPF", Level.WARNING, f"{domain} has none", advice)
    if len(records) > 1:
        advice = "leave one: with several, receivers take none (RFC 7208, 4.5)"
        return Finding("SPF", Level.WARNING, f"{domain} has {len(records)}", advice)
    if records[0].lower().split()[-1] in ("+all", "all"):
        advice = "end it with -all or ~all: this one lets everybody send for you"
        return Finding("SPF", Level.WARNING, f"{domain}: {records[0]}", advice)
    return Finding("SPF", Level.OK, f"{domain}: {records[0]}")


def _is_spf(record: str) -> bool:
    return record.lower() == "v=spf1" or record.lower().startswith("v=spf1 ")


def _dmarc(resolver: dns.resolver.Resolver, domain: str) -> Finding:
    """Look at the domain, and then at those above it, as receivers do."""
    labels = domain.split(".")
    while len(labels) >= _LEAST_LABELS:
        name = f"_dmarc.{'.'.join(labels)}"
        records = [each for each in _texts(resolver, name) if each.lower().startswith("v=dmarc1")]
        if records:
            return Finding("DMARC", Level.OK, f"{name}: {records[0]}")
        del labels[0]
    advice = "publish _dmarc as TXT, v=DMARC1; p=none for a start: large providers ask for it"
    return Finding("DMARC", Level.WARNING, f"{domain} has none", advice)


def _dkim(resolver: dns.resolver.Resolver, domain: str, selector: str) -> Finding:
    name, subject = f"{selector}._domainkey.{domain}", f"DKIM {selector}"
    records = [each for each in _texts(resolver, name) if "p=" in each]
    if not records:
        advice = "publish the key of whoever signs your mails"
        return Finding(subject, Level.WARNING, f"{name} has no key", advice)
    tags = dict(tag.strip().partition("=")[::2] for tag in records[0].split(";"))
    if not tags.get("p", "").strip():
        return Finding(subject, Level.WARNING, f"{name}: the key was revoked (p= is empty)")
    return Finding(subject, Level.OK, f"{name} has a key")


def _texts(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    try:
        answer = resolver.resolve(name, "TXT", lifetime=_PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise _NoAnswerError from error
    return [b"".join(each.strings).decode("utf-8", "replace") for each in answer]
