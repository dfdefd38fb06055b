"""MONGODB_URI, CELERY_BROKER_URL and SMTP_CONNECTION_URI."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import broker_url, mongodb_uri, smtp
from config.logs import redact
from config.smtp import Security


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://127.0.0.1",
        "mongodb://a:27017,b:27017,c/?replicaSet=rs0&w=majority",
        "mongodb://user:p%40ss@[::1]:27017/mail?authSource=admin",
        "mongodb://%2Ftmp%2Fmongodb.sock/mail",
        "mongodb+srv://user:pw@cluster.example.net/?retryWrites=true&w=majority&srvMaxHosts=2",
    ],
)
def test_good_mongodb_uris(uri: str) -> None:
    """Whatever the driver takes is taken, without asking DNS."""
    mongodb_uri.parse(uri)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("localhost:27017", "must begin with mongodb://"),
        ("mongodb://", "is not a MongoDB URI"),
        ("mongodb://user:pa/ss@host", "percent-encode"),
        ("mongodb://user:pa@ss@host", "percent-encode"),
        ("mongodb://host:99999/", "is not valid: Port"),
        ("mongodb://host/?w=0", "has w=0"),
        ("mongodb://host/?wTimeoutMs=soon", "is not valid"),
        ("mongodb+srv://a.example.net,b.example.net/", "must name one host"),
    ],
)
def test_bad_mongodb_uris(uri: str, words: str) -> None:
    """The reason is given in words that hold no secret."""
    with pytest.raises(ValueError, match=words):
        mongodb_uri.parse(uri)


def test_secret_options_are_hidden() -> None:
    """Passwords among the options are masked, too."""
    uri = "mongodb://u:one@h/db?tls=true&tlsCertificateKeyFilePassword=two&authMechanismProperties=K:three"

    shown = mongodb_uri.hidden(uri)

    assert shown == (
        "mongodb://u:***@h/db?tls=true&tlsCertificateKeyFilePassword=***&authMechanismProperties=***"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1", "redis://127.0.0.1"),
        ("redis://:p%40@[::1]:6379/3", "redis://:p%40@[::1]:6379/3"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("rediss://host/0", "rediss://host/0?ssl_cert_reqs=required"),
        (
            "rediss://host/0?ssl_ca_certs=/ca",
            "rediss://host/0?ssl_ca_certs=/ca&ssl_cert_reqs=required",
        ),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none"),
    ],
)
def test_good_broker_urls(url: str, expected: str) -> None:
    """A server over TLS has its certificate checked unless somebody asks for the contrary."""
    assert broker_url.checked(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqp://host", "must begin with redis://"),
        ("127.0.0.1:6379", "must begin with redis://"),
        ("sentinel://host:26379", "Sentinel, which is not supported"),
        ("redis://", "is not host, port and database"),
        ("redis://:pa/ss@host/0", "percent-encode"),
        ("redis://:pa#ss@host/0", "percent-encode"),
        ("redis://host:port/0", "is not host, port"),
        ("redis://host/mails", "number of a database"),
        ("redis+socket://run/redis.sock", "absolute path"),
        ("rediss://host/0?ssl_cert_reqs=no", "ssl_cert_reqs other than"),
    ],
)
def test_bad_broker_urls(url: str, words: str) -> None:
    """The reason is given, without the password."""
    with pytest.raises(ValueError, match=words):
        broker_url.checked(url)


def test_smtp_uri() -> None:
    """User and password are percent-encoded in the URI; SMTP_PASSWORD is not."""
    server = smtp.parse("smtps://me%40example.com:p%2Fw@[::1]?name=client.example")

    assert server == smtp.SmtpServer(
        "::1", 465, Security.TLS, "me@example.com", "p/w", "client.example"
    )
    assert str(server) == "[::1]:465"
    assert smtp.parse("smtp://me@h", "p%2Fw").password == "p%2Fw"


@pytest.mark.parametrize(
    ("uri", "security"),
    [
        ("smtp://mx.example.com", Security.OPPORTUNISTIC),
        ("smtp://u:p@mx.example.com", Security.REQUIRED),
        ("smtp://u:p@localhost", Security.OPPORTUNISTIC),
        ("smtp://u:p@127.0.0.1", Security.OPPORTUNISTIC),
        ("smtp://mx.example.com?requireTLS=true", Security.REQUIRED),
        ("smtp://u:p@localhost?requireTLS=false", Security.OPPORTUNISTIC),
        ("smtps://mx.example.com", Security.TLS),
    ],
)
def test_smtp_security(uri: str, security: Security) -> None:
    """A password never crosses the net in clear."""
    assert smtp.parse(uri).security is security


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("smtp.example.com", "must begin with smtp://"),
        ("smtp://", "no host"),
        ("smtp://.example.com", "no host name"),
        ("smtp://a..b", "no host name"),
        (f"smtp://{'a' * 64}.example", "no host name"),
        ("smtp://u@h", "there is no password"),
        ("smtp://:p@h", "but no user"),
        ("smtp://h:0", "port"),
        ("smtp://h:66000", "port"),
        ("smtp://h/x", "must end after the port"),
        ("smtp://u:p?w@h", "percent-encode"),
        ("smtp://u:p\uff0fw@h", "percent-encode"),
        ("smtp://h?tls=1", "unknown option"),
        ("smtp://h?name=a%0d%0aMAIL", "no host name"),
        ("smtp://h?requireTLS=yes", "other than true or false"),
        ("smtp://u:p@mx.example.com?requireTLS=false", "in clear"),
    ],
)
def test_bad_smtp_uris(uri: str, words: str) -> None:
    """The reason is given, without the password."""
    with pytest.raises(ValueError, match=words):
        smtp.parse(uri)


@given(inside=st.text(max_size=20))
def test_no_error_and_no_display_holds_the_password(inside: str) -> None:
    """Whatever characters a password has, neither an error nor the masked URI shows part of it."""
    cases: list[tuple[Callable[[str], object], Callable[[str], str], str]] = [
        (mongodb_uri.parse, mongodb_uri.hidden, f"mongodb://user:Zq{inside}qZ@host/db"),
        (broker_url.checked, redact, f"redis://user:Zq{inside}qZ@host/0"),
        (smtp.parse, redact, f"smtp://user:Zq{inside}qZ@host"),
    ]
    for check, hidden, uri in cases:
        shown = _refused(check, uri) or hidden(uri)

        assert "Zq" not in shown
        assert "qZ" not in shown


def _refused(check: Callable[[str], object], uri: str) -> str | None:
    try:
        check(uri)
    except ValueError as error:
        return str(error)
    return None
