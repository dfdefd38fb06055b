"""Keys to sign with, and what their owner would publish in the DNS."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from config.dkim import DkimKey, PrivateKey


RSA = generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()


def pem(key: PrivateKey = RSA) -> str:
    """Give a key as `openssl genpkey` writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def record(key: PrivateKey) -> str:
    """Give the TXT record of a key: RFC 6376 3.6.1, RFC 8463 section 4."""
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(data).decode()}"
    data = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(data).decode()}"


def verified(content: bytes, keys: Iterable[DkimKey]) -> list[bool]:
    """Verify each signature of a mail, the first first, by dkimpy."""
    verifier = dkimpy.DKIM(content)
    signatures = [name for name, _ in verifier.headers if name.lower() == b"dkim-signature"]
    lookup = _dns(keys)
    return [_is_good(content, number, lookup) for number in range(len(signatures))]


def _is_good(content: bytes, number: int, lookup: Callable[..., bytes | None]) -> bool:
    try:
        return bool(dkimpy.DKIM(content).verify(number, dnsfunc=lookup))
    except dkimpy.DKIMException:
        return False


def _dns(keys: Iterable[DkimKey]) -> Callable[..., bytes | None]:
    records = {
        f"{key.selector}._domainkey.{key.domain}.".encode(): record(key.private_key).encode()
        for key in keys
    }

    def lookup(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001 - dkimpy gives it
        return records.get(name)

    return lookup
