"""Whether the DNS has the public keys of those that sign: else no receiver can verify a mail."""

from __future__ import annotations

import base64
import functools
import re
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, Resolver, get_default_resolver

from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.dkim import DkimKey
from config.settings import Settings


_SUBJECT = "DKIM"
_MOST_AT_ONCE = 8


def check(settings: Settings, resolver: Resolver | None = None) -> list[Finding]:
    """Ask the DNS for each key; `resolver`: by default the system's."""
    keys = settings.dkim_keys()
    if not keys:
        return []
    ask = functools.partial(_check, resolver=resolver or get_default_resolver())
    with ThreadPoolExecutor(min(len(keys), _MOST_AT_ONCE)) as pool:
        return list(pool.map(ask, keys))


def _check(key: DkimKey, resolver: Resolver) -> Finding:
    name = f"{key.selector}._domainkey.{key.domain}"
    advice = f"its TXT record is to be: {_record(key)}"
    try:
        found = _texts(name, resolver)
    except (NXDOMAIN, NoAnswer):
        return Finding(_SUBJECT, Level.FAILED, f"the DNS has no {name}", advice)
    except DNSException as error:
        text = f"{name} cannot be looked up: {type(error).__name__}"
        return Finding(_SUBJECT, Level.WARNING, text)
    published = [_tags(text).get("p") for text in found]
    if not set(_public(key)).isdisjoint(published):
        return Finding(_SUBJECT, Level.OK, f"{name} has the key")
    what = "says that the key is revoked" if published == [""] else "has another key"
    return Finding(_SUBJECT, Level.FAILED, f"{name} {what}", advice)


def _texts(name: str, resolver: Resolver) -> list[str]:
    answer = resolver.resolve(f"{name}.", "TXT", lifetime=TIMEOUT_SECONDS)
    return [b"".join(record.strings).decode("latin-1") for record in answer]


def _tags(text: str) -> dict[str, str]:
    """Read a record (RFC 6376 3.2): spaces may stand anywhere."""
    pairs = (tag.partition("=") for tag in text.split(";"))
    return {name.strip(): re.sub(r"\s", "", value) for name, _, value in pairs}


def _record(key: DkimKey) -> str:
    kind = "ed25519" if isinstance(key.private_key, Ed25519PrivateKey) else "rsa"
    return f"v=DKIM1; k={kind}; p={_public(key)[0]}"


def _public(key: DkimKey) -> list[str]:
    """Write it as it may be published, the usual form first.

    RSA: as `openssl pkey -pubout` has it, or as RFC 6376 3.6.1 has it; RFC 8463 section 4: raw.
    """
    public = key.private_key.public_key()
    if isinstance(key.private_key, Ed25519PrivateKey):
        forms = [public.public_bytes(Encoding.Raw, PublicFormat.Raw)]
    else:
        forms = [
            public.public_bytes(Encoding.DER, format)
            for format in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
        ]
    return [base64.b64encode(data).decode("ascii") for data in forms]
