"""DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY: who signs the mails of a domain (RFC 6376)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


PrivateKey = RSAPrivateKey | Ed25519PrivateKey

#: RFC 8301 section 3.2: what verifiers have to know; they take fewer bits for no signature.
_FEWEST_BITS, _MOST_BITS = 1024, 4096
#: One label of a name in the DNS; selectors may hold "_" in practice.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE | re.ASCII)
#: Of one label only it would sign for a whole top-level domain.
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_LONGEST_NAME = 253
#: Larger files are no keys.
_MAX_FILE = 65_536


@dataclass(frozen=True, slots=True)
class DkimKey:
    """Signs mails whose From is at `domain` (in ASCII, lower case) or below it."""

    domain: str
    selector: str
    private_key: PrivateKey = field(repr=False)


def make(domain: str, selector: str, private_key: str) -> DkimKey:
    """Make it of three settings; raises ValueError."""
    return DkimKey(check_domain(domain), check_selector(selector), load(private_key))


def check_domain(text: str) -> str:
    """Give the domain in ASCII, lower case; raises ValueError."""
    name = text.strip()
    try:
        ascii_ = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        ascii_ = ""
    domain = ascii_.lower()
    if not _DOMAIN.fullmatch(domain) or len(domain) > _LONGEST_NAME:
        raise ValueError("must be a domain, such as example.com")
    return domain


def check_selector(text: str) -> str:
    """Give the selector; raises ValueError."""
    selector = text.strip()
    if not _SELECTOR.fullmatch(selector) or len(selector) > _LONGEST_NAME:
        raise ValueError("must be what stands before ._domainkey in the DNS, such as mail2026")
    return selector


def load(text: str) -> PrivateKey:
    r"""Read PEM text, or the file that holds it; raises ValueError with nothing of it.

    In PEM text the line ends may be written as `\n`, as in files that hold one variable a line.
    """
    pem = text.replace("\\n", "\n").encode() if "-----BEGIN" in text else _content(text)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("is encrypted: give the key without a pass phrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("holds no private key that can be read as PEM") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("must be an RSA or an Ed25519 key")  # noqa: TRY004 - it is a setting
    if not _FEWEST_BITS <= key.key_size <= _MOST_BITS:
        raise ValueError(
            f"is an RSA key of {key.key_size} bits: receivers take those from {_FEWEST_BITS}"
            f" to {_MOST_BITS}, and 2048 are usual"
        )
    return key


def _content(path: str) -> bytes:
    # The path is not repeated: it may be a key that lacks its first line.
    try:
        with Path(path.strip()).open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise ValueError(
            f"is neither PEM text nor a file that can be read: {error.strerror}"
        ) from None
    except ValueError:  # a NUL
        raise ValueError("is neither PEM text nor a file that can be read") from None
