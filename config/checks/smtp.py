"""The SMTP server: whether it answers, its certificate is good, and it knows our user."""

from __future__ import annotations

import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from config.checks import certificate, login, sendgrid
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.hosts import is_loopback
from config.named_transports import DEFAULT, TransportSettings
from config.sendgrid import SendGridApi
from config.settings import Settings
from config.smtp import Security, SmtpServer
from config.tls import TlsOptions


_SUBJECT = login.SUBJECT


def check(settings: Settings) -> list[Finding]:
    """Greet each server, secure the connection, log in; send nothing."""
    transports = settings.transports
    with ThreadPoolExecutor(len(transports)) as pool:
        return [finding for findings in pool.map(_check, transports) for finding in findings]


def _check(transport: TransportSettings) -> list[Finding]:
    server, tls = transport.server, transport.tls
    found = sendgrid.check(server) if isinstance(server, SendGridApi) else _ask(server, tls)
    return [_of(transport, finding) for finding in found]


def _ask(server: SmtpServer, tls: TlsOptions) -> list[Finding]:
    client = _client(server, tls)
    findings = []
    try:
        banner = client.connect(server.host, server.port)
        client.ehlo_or_helo_if_needed()
        findings.append(Finding(_SUBJECT, Level.OK, f"{server} answers: {_text(*banner)}"))
        findings.append(_secure(client, server, tls))
        findings += login.check(client, server)
    except (smtplib.SMTPException, OSError) as error:
        findings.append(_failure(error, server))
    finally:
        client.close()
    return findings


def _of(transport: TransportSettings, finding: Finding) -> Finding:
    """Name the transport, if it is one among several."""
    if transport.name == DEFAULT:
        return finding
    return replace(finding, subject=f"{finding.subject} {transport.name}")


def _client(server: SmtpServer, tls: TlsOptions) -> smtplib.SMTP:
    client = (
        smtplib.SMTP_SSL(
            local_hostname=server.client_name,
            timeout=TIMEOUT_SECONDS,
            context=tls.context(),
        )
        if server.security is Security.TLS
        else smtplib.SMTP(local_hostname=server.client_name, timeout=TIMEOUT_SECONDS)
    )
    # The name the certificate must carry; smtplib has no other way to give it one.
    client._host = tls.servername or server.host  # type: ignore[attr-defined]  # noqa: SLF001
    return client


def _secure(client: smtplib.SMTP, server: SmtpServer, tls: TlsOptions) -> Finding:
    if server.security is not Security.TLS:
        if server.security is Security.OPPORTUNISTIC and not client.has_extn("starttls"):
            return _in_clear(server)
        client.starttls(context=tls.context())
        client.ehlo()
    version = client.sock.version() if isinstance(client.sock, ssl.SSLSocket) else None
    if not tls.reject_unauthorized:
        advice = (
            f"remove rejectUnauthorized from {_options(server)}; give the server's authority as ca"
        )
        return Finding(_SUBJECT, Level.WARNING, f"{version}, certificate not checked", advice)
    return certificate.good(client.sock, _SUBJECT, str(version))


def _in_clear(server: SmtpServer) -> Finding:
    text = "offers no STARTTLS: mails go in clear"
    if is_loopback(server.host):
        return Finding(_SUBJECT, Level.OK, f"{text}, but stay on this machine")
    advice = "use smtps://, or add ?requireTLS=true to refuse such a server"
    return Finding(_SUBJECT, Level.WARNING, text, advice)


def _failure(error: smtplib.SMTPException | OSError, server: SmtpServer) -> Finding:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        words = _text(error.smtp_code, error.smtp_error)
        if any(each in words for each in server.telltales):
            words = "its words hold the password"
        what = "user or password" if server.oauth2 is None else "the access token"
        return Finding(_SUBJECT, Level.FAILED, f"refused {what}: {words}", login.advice(server))
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"has a certificate that is not good: {error.verify_message}"
        return Finding(
            _SUBJECT, Level.FAILED, text, f"see ca and servername of TLS_OPTIONS{server.suffix}"
        )
    if isinstance(error, ssl.SSLError):
        text = f"{server} does not speak TLS as asked: {error.reason}"
        tls, starttls = server.switch(Security.TLS), server.switch(Security.REQUIRED)
        return Finding(_SUBJECT, Level.FAILED, text, f"{tls} is for port 465, {starttls} for 587")
    if isinstance(error, smtplib.SMTPResponseException):
        text = f"refuses: {_text(error.smtp_code, error.smtp_error)}"
        return Finding(_SUBJECT, Level.FAILED, text)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Finding(_SUBJECT, Level.FAILED, f"lacks what is asked of it: {error}")
    advice = f"is {server.variable} right, does a firewall (or the provider) close this port?"
    return Finding(_SUBJECT, Level.FAILED, f"{server} does not answer: {error}", advice)


def _options(server: SmtpServer) -> str:
    return f"TLS_OPTIONS{server.suffix}"


def _text(code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(said.split())}"
