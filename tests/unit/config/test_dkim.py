"""DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY, and the same of a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from config import env_file, errors, show
from config.settings import Settings
from tests.support.dkim_keys import ED25519, RSA, pem
from tests.unit.config.conftest import Problems, Read


DOMAIN = {"DKIM_DOMAIN": "example.com", "DKIM_SELECTOR": "mail2026"}
WHOLE = DOMAIN | {"DKIM_PRIVATE_KEY": pem(RSA)}
NEWS = {
    "DKIM_DOMAIN_NEWS": "news.example.com",
    "DKIM_SELECTOR_NEWS": "ed",
    "DKIM_PRIVATE_KEY_NEWS": pem(ED25519),
}


def _other_pem(format: PrivateFormat) -> str:
    return RSA.private_bytes(Encoding.PEM, format, NoEncryption()).decode()


def _ec_pem() -> str:
    key = generate_ec_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _encrypted_pem() -> str:
    encryption = BestAvailableEncryption(b"hidden")
    return RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def _key_of(p: int, q: int) -> RSAPrivateKey:
    """Make a key of two primes; `cryptography` itself makes none below 1024 bits."""
    e = 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), RSAPublicNumbers(e, p * q)
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def test_without_keys(read: Read) -> None:
    """Nothing is signed unless it is asked for."""
    assert read().dkim_keys() == []


@pytest.mark.parametrize(
    "text",
    [pem(RSA), pem(RSA).replace("\n", "\\n"), _other_pem(PrivateFormat.TraditionalOpenSSL)],
    ids=["lines", "one line", "traditional"],
)
def test_pem_text(read: Read, text: str) -> None:
    r"""As openssl writes it, also with `\n` for the line ends."""
    [key] = read(**DOMAIN, DKIM_PRIVATE_KEY=text).dkim_keys()

    assert (key.domain, key.selector) == ("example.com", "mail2026")
    assert isinstance(key.private_key, RSAPrivateKey)
    assert key.private_key.private_numbers() == RSA.private_numbers()


def test_file(read: Read, directory: Path) -> None:
    """The path of a file with PEM text."""
    directory.joinpath("dkim.pem").write_text(pem(ED25519))

    [key] = read(**DOMAIN, DKIM_PRIVATE_KEY=str(directory / "dkim.pem")).dkim_keys()

    assert isinstance(key.private_key, Ed25519PrivateKey)


def test_several(read: Read) -> None:
    """Those of a name are further keys, for other domains or for the same; also without a first."""
    second = {name.replace("NEWS", "B"): value for name, value in NEWS.items()}

    keys = read(**WHOLE, **NEWS, **(second | {"DKIM_DOMAIN_B": "Müller.example"})).dkim_keys()

    assert [(key.domain, key.selector) for key in keys] == [
        ("example.com", "mail2026"),
        ("xn--mller-kva.example", "ed"),
        ("news.example.com", "ed"),
    ]


def test_only_named(read: Read) -> None:
    """DKIM_DOMAIN itself may be left out."""
    assert [key.domain for key in read(**NEWS).dkim_keys()] == ["news.example.com"]


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        (
            {"DKIM_DOMAIN": "example.com"},
            [
                "DKIM_SELECTOR: is needed with DKIM_DOMAIN.",
                "DKIM_PRIVATE_KEY: is needed with DKIM_DOMAIN.",
            ],
        ),
        (
            WHOLE | {"DKIM_DOMAIN": ""},
            ["DKIM_SELECTOR: needs DKIM_DOMAIN.", "DKIM_PRIVATE_KEY: needs DKIM_DOMAIN."],
        ),
        (
            WHOLE | {"DKIM_DOMAIN": "com"},
            ["DKIM_DOMAIN: must be a domain, such as example.com."],
        ),
        (
            WHOLE | {"DKIM_DOMAIN": "a@example.com"},
            ["DKIM_DOMAIN: must be a domain, such as example.com."],
        ),
        (
            WHOLE | {"DKIM_SELECTOR": "a; d=evil"},
            ["DKIM_SELECTOR: must be what stands before ._domainkey in the DNS, such as mail2026."],
        ),
        (
            NEWS | {"DKIM_SELECTOR_NEWS": ""},
            ["DKIM_SELECTOR_NEWS: is missing. Example: DKIM_SELECTOR_NEWS=mail2026"],
        ),
        (
            NEWS | {"DKIM_PRIVATE_KEY_NEWS": "/nowhere/hidden.pem"},
            ["DKIM_PRIVATE_KEY_NEWS: is neither PEM text nor a file that can be read: No such"],
        ),
        (
            WHOLE | {"DKIM_DOMAIN_A-B": "example.com"},
            ["DKIM_DOMAIN_A-B: must end in a name of letters, digits and _, at most 31 char"],
        ),
        (
            WHOLE | NEWS | {"DKIM_DOMAIN_NEWS": "EXAMPLE.com", "DKIM_SELECTOR_NEWS": "Mail2026"},
            ["DKIM_SELECTOR: two keys have the same place in the DNS, mail2026._domainkey."],
        ),
    ],
)
def test_problems(problems: Problems, variables: dict[str, str], lines: list[str]) -> None:
    """What is wrong is said with the variable's whole name, at start."""
    found = problems(**variables)

    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))


#: In pieces: those who look for secrets would take the whole line for one.
BEGIN = "-----BEGIN"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hidden", "is neither PEM text nor a file that can be read: No such file"),
        ("/", "is neither PEM text nor a file that can be read: Is a directory"),
        (f"{BEGIN} PRIVATE KEY-----\nhidden", "holds no private key that can be read as PEM"),
        ("-----BEGIN CERTIFICATE-----\nhidden", "holds no private key that can be read as PEM"),
        (_encrypted_pem(), "is encrypted: give the key without a pass phrase"),
        (_ec_pem(), "must be an RSA or an Ed25519 key"),
    ],
    ids=["no file", "directory", "cut", "certificate", "encrypted", "curve"],
)
def test_bad_keys(problems: Problems, text: str, words: str) -> None:
    """A key that cannot sign is named at start, and nothing of it is repeated."""
    [line] = problems(**DOMAIN, DKIM_PRIVATE_KEY=text)

    assert line.startswith(f"DKIM_PRIVATE_KEY: {words}")
    assert "hidden" not in line


def test_weak_key(problems: Problems, directory: Path) -> None:
    """Receivers take no RSA keys of fewer than 1024 bits (RFC 8301), nor need they of over 4096."""
    directory.joinpath("weak.pem").write_text(pem(_key_of(2**127 - 1, 2**521 - 1)))

    [line] = problems(**DOMAIN, DKIM_PRIVATE_KEY=str(directory / "weak.pem"))

    assert line.startswith("DKIM_PRIVATE_KEY: is an RSA key of 648 bits: receivers take those from")


def test_shown_without_secrets(read: Read, directory: Path) -> None:
    """`python -m config` shows paths, and no keys; the variables count as known ones."""
    directory.joinpath("dkim.pem").write_text(pem(RSA))
    ours = read(**DOMAIN, DKIM_PRIVATE_KEY="dkim.pem", **NEWS)

    shown = {row.variable: row.value for row in show.rows(ours)}
    unknown = env_file.names_set() - ours.named_variables

    assert shown["DKIM_PRIVATE_KEY"] == "dkim.pem"
    assert {name: shown[name] for name in NEWS} == NEWS | {"DKIM_PRIVATE_KEY_NEWS": "***"}
    assert errors.misspelt(unknown, Settings.model_fields) == {}
    assert "PRIVATE KEY-----" not in repr(ours) + repr(ours.named_dkim) + repr(ours.dkim_keys())
