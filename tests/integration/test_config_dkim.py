"""`python -m config`: whether the DNS has the keys that sign."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from config.checks import Finding, Level, dkim
from config.dkim import PrivateKey
from config.settings import Settings
from tests.support.dkim_keys import ED25519, RSA, pem, record
from tests.support.name_server import serving


NAME = "mail._domainkey.example.com."


def _settings(settings: Settings, key: PrivateKey) -> Settings:
    changes = {
        "dkim_domain": "example.com",
        "dkim_selector": "mail",
        "dkim_private_key": SecretStr(pem(key)),
    }
    return settings.model_copy(update=changes)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_published(settings: Settings, key: PrivateKey) -> None:
    """The record may come in several strings, with spaces in it, and beside others."""
    text = record(key).replace("p=", "t=s ; p = ")
    strings = f'"{text[:60]}" " {text[60:250]}" "{text[250:]}"'
    with serving({NAME: ['"something else"', strings]}) as resolver:
        found = dkim.check(_settings(settings, key), resolver)

    assert found == [Finding("DKIM", Level.OK, "mail._domainkey.example.com has the key")]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({}, "the DNS has no mail._domainkey.example.com"),
        ({NAME: []}, "the DNS has no mail._domainkey.example.com"),
        ({NAME: [f'"{record(ED25519)}"']}, "mail._domainkey.example.com has another key"),
        ({NAME: ['"v=DKIM1; p="']}, "mail._domainkey.example.com says that the key is revoked"),
    ],
    ids=["no name", "no record", "other", "revoked"],
)
def test_not_published(settings: Settings, texts: dict[str, list[str]], words: str) -> None:
    """Nobody could verify the mails; the advice is the record to publish."""
    with serving(texts) as resolver:
        [finding] = dkim.check(_settings(settings, RSA), resolver)

    assert (finding.level, finding.text) == (Level.FAILED, words)
    assert finding.advice == f"its TXT record is to be: {record(RSA)}"


def test_no_answer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that is away says nothing about the key."""
    monkeypatch.setattr(dkim, "TIMEOUT_SECONDS", 0.2)
    with serving({}) as resolver:
        pass

    [finding] = dkim.check(_settings(settings, RSA), resolver)

    assert finding.level is Level.WARNING
    assert "cannot be looked up" in finding.text


def test_without_keys(settings: Settings) -> None:
    """Nothing is signed: there is nothing to ask."""
    assert dkim.check(settings) == []
