"""SMTP_CONNECTION_URI_<NAME> and its kin."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import env_file, errors, show
from config.rates import Rate
from config.settings import Settings
from config.smtp import Security, SmtpServer
from tests.unit.config.conftest import Problems, Read


def test_default_alone(read: Read) -> None:
    """Without further variables there is one transport, of the settings without a name."""
    [only] = read(RATE_LIMIT="5/second").transports

    assert isinstance(only.server, SmtpServer)
    assert (only.name, only.server.port, only.default_from) == (
        "default",
        1025,
        "sender@example.com",
    )
    assert only.rate_limit == Rate(5, 1)


def test_named(read: Read) -> None:
    """A name in the variables makes a transport, with what is its own and what holds for all."""
    ours = read(
        SMTP_CONNECTION_URI_NEWS="smtps://news@bulk.example.com",
        SMTP_PASSWORD_NEWS="secret",
        DEFAULT_FROM_NEWS="News <news@example.com>",
        TLS_OPTIONS_NEWS='{"minVersion": "TLSv1.3"}',
        RATE_LIMIT_NEWS="100/minute",
        RATE_LIMIT_DOMAINS_NEWS="gmail.com=1/second",
        RATE_LIMIT_DOMAINS="gmail.com=9/second",
        SMTP_CONNECTION_URI_OWN_RELAY="smtp://relay.internal:25",
        RATE_LIMIT="5/second",
    )

    default, news, relay = ours.transports
    assert default.name == "default"
    assert isinstance(news.server, SmtpServer)
    assert (news.name, news.server.host, news.server.password) == (
        "news",
        "bulk.example.com",
        "secret",
    )
    assert news.server.security is Security.TLS
    assert (news.default_from, news.rate_limit) == ("News <news@example.com>", Rate(100, 60))
    assert news.tls.min_version == "TLSv1.3"
    assert (relay.name, relay.default_from, relay.rate_limit) == (
        "own_relay",
        "sender@example.com",
        None,
    )
    assert relay.tls.min_version == "TLSv1.2"
    domains = [each.rate_limit_domains for each in (default, news, relay)]
    assert [each and each.rates[0][1].count for each in domains] == [9, 1, 9]


def test_env_file(read: Read, directory: Path) -> None:
    """They may stand in `.env`; the environment wins."""
    directory.joinpath(".env").write_text(
        "SMTP_CONNECTION_URI_NEWS=smtp://old.example.com\nSMTP_CONNECTION_URI_B=smtp://b.example\n"
    )

    ours = read(SMTP_CONNECTION_URI_NEWS="smtp://new.example.com")

    assert [each.server.host for each in ours.transports[1:]] == ["b.example", "new.example.com"]


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"SMTP_CONNECTION_URI_NEWS": "smtp://me@host"},
            "SMTP_CONNECTION_URI_NEWS: names a user, but there is no password: set SMTP_PASSWORD_N",
        ),
        (
            {"SMTP_CONNECTION_URI_NEWS": "smtp://host", "DEFAULT_FROM_NEWS": "nobody"},
            "DEFAULT_FROM_NEWS: is not a mail address: it has no @. Example: DEFAULT_FROM_NEWS=",
        ),
        (
            {"SMTP_CONNECTION_URI_NEWS": "smtp://host", "TLS_OPTIONS_NEWS": '{"x": 1}'},
            "TLS_OPTIONS_NEWS: x is not a known key.",
        ),
        (
            {"SMTP_CONNECTION_URI_NEWS": "smtp://host", "RATE_LIMIT_NEWS": "many"},
            "RATE_LIMIT_NEWS: must be a number of mails per second",
        ),
        (
            {"SMTP_CONNECTION_URI_NEWS": "smtp://host", "RATE_LIMIT_DOMAINS_NEWS": "gmail.com"},
            "RATE_LIMIT_DOMAINS_NEWS: must be domain=rate",
        ),
        (
            {"SMTP_CONNECTION_URI_DEFAULT": "smtp://host"},
            "SMTP_CONNECTION_URI_DEFAULT: cannot be a transport of its own: SMTP_CONNECTION_URI",
        ),
        (
            {"SMTP_CONNECTION_URI_DOMAINS": "smtp://host"},
            "SMTP_CONNECTION_URI_DOMAINS: cannot be a transport of its own: RATE_LIMIT_DOMAINS has",
        ),
        (
            {"SMTP_CONNECTION_URI_A-B": "smtp://host"},
            "SMTP_CONNECTION_URI_A-B: must end in a name of letters, digits and _",
        ),
        (
            {"TRANSPORT_FALLBACK": "default, backup"},
            "TRANSPORT_FALLBACK: names backup, but SMTP_CONNECTION_URI_BACKUP is not set.",
        ),
    ],
)
def test_problems(problems: Problems, variables: dict[str, str], line: str) -> None:
    """What is wrong is said with the variable's whole name."""
    [found] = problems(**variables)

    assert found.startswith(line)


def test_all_at_once_and_no_secret(problems: Problems) -> None:
    """Problems of named transports and of the others come together, without passwords."""
    lines = problems(
        BATCH_SIZE="x",
        SMTP_CONNECTION_URI_A="smtp://user:sec?ret@host",
        SMTP_CONNECTION_URI_B="host",
    )

    assert [line.split(":")[0] for line in lines] == [
        "BATCH_SIZE",
        "SMTP_CONNECTION_URI_A",
        "SMTP_CONNECTION_URI_B",
    ]
    assert "sec" not in "".join(lines)


def test_fallback(read: Read) -> None:
    """TRANSPORT_FALLBACK is a list of names, in order."""
    ours = read(
        SMTP_CONNECTION_URI_B="smtp://b.example",
        SMTP_CONNECTION_URI_C="smtp://c.example",
        TRANSPORT_FALLBACK=" C, b,",
    )

    assert ours.fallback == ("c", "b")
    assert read(TRANSPORT_FALLBACK="").fallback == ()


def test_copies_keep_them(read: Read) -> None:
    """Changed copies of the settings have the same transports."""
    ours = read(SMTP_CONNECTION_URI_NEWS="smtp://news.example.com")

    names = [each.name for each in ours.model_copy(update={"batch_size": 7}).transports]
    assert names == ["default", "news"]


def test_shown_without_secrets(read: Read) -> None:
    """`python -m config` shows them behind the others, and takes none for a typing mistake."""
    ours = read(
        SMTP_CONNECTION_URI_NEWS="smtp://me:hidden@news.example.com", SMTP_PASSWORD_NEWS="hidden"
    )

    shown = {row.variable: row.value for row in show.rows(ours)[len(Settings.model_fields) :]}
    unknown = env_file.names_set() - ours.named_variables

    assert shown == {
        "SMTP_PASSWORD_NEWS": "***",
        "SMTP_CONNECTION_URI_NEWS": "smtp://me:***@news.example.com",
    }
    assert errors.misspelt(unknown, Settings.model_fields) == {}
    assert "hidden" not in repr(ours) + repr(ours.transports) + repr(ours.named)
