"""TLS: smtps://, STARTTLS and TLS_OPTIONS."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink as Discard

from config.smtp import Security, SmtpServer
from config.tls import TlsOptions
from local import ports
from tasks.errors import Transient
from tests.support.sink import Script, Sink, first
from tests.support.smtp import BOTH, a_mail, send, transport_to


Certified = Callable[[str], ssl.SSLContext]


@contextlib.contextmanager
def _smtps(context: ssl.SSLContext) -> Iterator[str]:
    """Run a server with TLS from the first byte; gives its URI."""
    port = ports.free()
    controller = Controller(Discard(), hostname="127.0.0.1", port=port, ssl_context=context)
    controller.start()
    try:
        yield f"smtps://127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.fixture
def starttls_sink(certified: Certified) -> Iterator[Sink]:
    """A server with STARTTLS, certified for its address."""
    with Sink(tls=certified("127.0.0.1")) as sink:
        yield sink


def _options(**options: Any) -> TlsOptions:
    return TlsOptions(**options)


def test_smtps(certified: Certified, ca: str) -> None:
    """smtps:// speaks TLS from the first byte, and checks the certificate by `ca`."""
    with _smtps(certified("127.0.0.1")) as uri, transport_to(uri, _options(ca=ca)) as transport:
        assert send(transport).accepted == BOTH


def test_starttls(starttls_sink: Sink, ca: str) -> None:
    """smtp:// changes to TLS where the server offers it, and asks again what it offers."""
    with transport_to(starttls_sink.uri, _options(ca=ca)) as transport:
        assert send(transport).accepted == BOTH

    assert [command.split()[0] for command in starttls_sink.commands][:4] == [
        *("EHLO", "STARTTLS", "EHLO", "MAIL")
    ]


def test_tls_connection_is_reused(starttls_sink: Sink, ca: str) -> None:
    """What TLS 1.3 sends by itself (session tickets) does not look like a dead connection."""
    with transport_to(starttls_sink.uri, _options(ca=ca)) as transport:
        for _ in range(3):
            send(transport)

    assert starttls_sink.counts["connect"] == 1


def test_large_mail(starttls_sink: Sink, ca: str) -> None:
    """A mail of many TLS records arrives whole."""
    content = b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * 50_000
    with transport_to(starttls_sink.uri, _options(ca=ca)) as transport:
        send(transport, a_mail(content))

    assert starttls_sink.messages[0].content == content


@pytest.mark.parametrize("fault", ["drop", "reset"])
def test_dropped_while_idle(starttls_sink: Sink, ca: str, fault: str) -> None:
    """A TLS connection that the server dropped while it was idle costs no mail."""
    with transport_to(starttls_sink.uri, _options(ca=ca)) as transport:
        send(transport)
        starttls_sink.disconnect()
        assert send(transport).accepted == BOTH
        starttls_sink.script = Script(mail=first(1, fault))
        assert send(transport).accepted == BOTH


def test_broken_within_content(starttls_sink: Sink, ca: str) -> None:
    """Under TLS, too, a server that leaves within the content cannot have the mail."""
    starttls_sink.script = Script(content="reset")
    with (
        transport_to(starttls_sink.uri, _options(ca=ca)) as transport,
        pytest.raises(Transient, match="before it had the whole message"),
    ):
        send(transport, a_mail(b"x" * 20_000_000))


def test_stalled_within_content(starttls_sink: Sink, ca: str) -> None:
    """Under TLS, too, a server that stops reading is left at the deadline."""
    starttls_sink.script = Script(content="stall")
    with (
        transport_to(starttls_sink.uri, _options(ca=ca)) as transport,
        pytest.raises(Transient, match="in the time there was"),
    ):
        send(transport, a_mail(b"x" * 20_000_000), seconds=0.5)


def test_not_trusted(starttls_sink: Sink) -> None:
    """A certificate of an unknown authority stops the mail, and the error names the setting."""
    with transport_to(starttls_sink.uri) as transport, pytest.raises(Transient) as caught:
        send(transport)

    text = str(caught.value)
    assert text.startswith(f"127.0.0.1:{starttls_sink.port} has a certificate that is not trusted:")
    assert text.endswith("; see TLS_OPTIONS")
    assert starttls_sink.messages == []


def test_reject_unauthorized_off(starttls_sink: Sink) -> None:
    """rejectUnauthorized=false takes any certificate."""
    with transport_to(starttls_sink.uri, _options(rejectUnauthorized=False)) as transport:
        assert send(transport).accepted == BOTH


def test_ca_file(starttls_sink: Sink, ca: str, tmp_path: Path) -> None:
    """`ca` may be a file, and may hold several certificates."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(trustme.CA().cert_pem.bytes().decode() + ca, encoding="ascii")

    with transport_to(starttls_sink.uri, _options(ca=str(bundle))) as transport:
        assert send(transport).accepted == BOTH


def test_several_authorities(starttls_sink: Sink, ca: str) -> None:
    """`ca` may hold several certificates as text."""
    several = trustme.CA().cert_pem.bytes().decode() + ca

    with transport_to(starttls_sink.uri, _options(ca=several)) as transport:
        assert send(transport).accepted == BOTH


def test_wrong_name(certified: Certified, ca: str) -> None:
    """A certificate for another host stops the mail."""
    with (
        Sink(tls=certified("smtp.example.com")) as sink,
        transport_to(sink.uri, _options(ca=ca)) as transport,
        pytest.raises(Transient, match=r"not trusted: .*127\.0\.0\.1.*; see TLS_OPTIONS"),
    ):
        send(transport)


def test_servername(certified: Certified, ca: str) -> None:
    """`servername` is the name the server is asked for (SNI), and must prove."""
    asked: list[str | None] = []
    context = certified("smtp.example.com")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    with (
        Sink(tls=context) as sink,
        transport_to(sink.uri, _options(ca=ca, servername="smtp.example.com")) as transport,
    ):
        assert send(transport).accepted == BOTH

    assert asked == ["smtp.example.com"]


def test_min_version(certified: Certified, ca: str) -> None:
    """minVersion refuses a server that speaks only what is older."""
    context = certified("127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Sink(tls=context) as sink:
        with (
            transport_to(sink.uri, _options(ca=ca, minVersion="TLSv1.3")) as transport,
            pytest.raises(Transient, match="TLS failed"),
        ):
            send(transport)
        with transport_to(sink.uri, _options(ca=ca, minVersion="TLSv1.2")) as transport:
            assert send(transport).accepted == BOTH


def test_required(sink: Sink) -> None:
    """requireTLS=true sends nothing to a server without STARTTLS."""
    with (
        transport_to(f"{sink.uri}?requireTLS=true") as transport,
        pytest.raises(Transient, match="does not offer STARTTLS, which SMTP_CONNECTION_URI"),
    ):
        send(transport)

    assert sink.counts["MAIL"] == 0


def test_starttls_refused(starttls_sink: Sink, ca: str) -> None:
    """A server that offers STARTTLS and then refuses it gets the mail only where TLS may lack."""
    starttls_sink.script = Script(starttls="454 4.7.0 TLS not available")
    with (
        transport_to(f"{starttls_sink.uri}?requireTLS=true", _options(ca=ca)) as transport,
        pytest.raises(Transient, match=r"refused STARTTLS: 454 4.7.0 TLS not available"),
    ):
        send(transport)
    with transport_to(starttls_sink.uri, _options(ca=ca)) as transport:
        assert send(transport).accepted == BOTH


def test_injected_replies(starttls_sink: Sink, ca: str) -> None:
    """Replies in clear behind the answer to STARTTLS end the conversation (CVE-2011-0411)."""
    starttls_sink.script = Script(starttls="220 Go ahead\r\n250-injected\r\n250 AUTH PLAIN")
    with (
        transport_to(starttls_sink.uri, _options(ca=ca)) as transport,
        pytest.raises(Transient, match="a reply that was not asked for"),
    ):
        send(transport)


def test_smtps_to_a_plain_port(sink: Sink) -> None:
    """smtps:// to a server that speaks in clear: the error says what to change."""
    with (
        transport_to(sink.uri.replace("smtp:", "smtps:")) as transport,
        pytest.raises(Transient, match=r"TLS failed: .*want smtp:// in SMTP_CONNECTION_URI"),
    ):
        send(transport)


def test_hanging_handshake(sink: Sink) -> None:
    """A server that never answers the handshake is left at the deadline."""
    sink.script = Script(connect="hang")
    with (
        transport_to(sink.uri.replace("smtp:", "smtps:")) as transport,
        pytest.raises(Transient, match="TLS failed: no answer in time"),
    ):
        send(transport, seconds=0.3)


def test_password_in_clear(sink: Sink) -> None:
    """A password never crosses the net in clear."""
    sink.script = Script(extensions=("AUTH PLAIN",))
    # 0.0.0.0 leads to this machine, and is no loopback address.
    server = SmtpServer("0.0.0.0", sink.port, Security.OPPORTUNISTIC, "user", "secret")
    with (
        transport_to(server) as transport,
        pytest.raises(Transient, match="the password of SMTP_CONNECTION_URI would cross the net"),
    ):
        send(transport)

    assert sink.counts["AUTH"] == 0
