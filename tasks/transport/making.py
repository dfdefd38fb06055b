"""Settings → transports."""

from __future__ import annotations

from config.named_transports import TransportSettings
from config.sendgrid import SendGridApi
from config.settings import Settings
from tasks.transport.interface import Transport
from tasks.transport.pool import SmtpTransport
from tasks.transport.sendgrid import SendGridTransport


def make(settings: Settings) -> dict[str, Transport]:
    """Make the transport of each name; raises OSError or ssl.SSLError for a bad `ca`."""
    return {each.name: _make(each, settings) for each in settings.transports}


def _make(transport: TransportSettings, settings: Settings) -> Transport:
    if isinstance(transport.server, SendGridApi):
        return SendGridTransport(transport.server, idle_seconds=settings.smtp_idle_seconds)
    return SmtpTransport(
        transport.server,
        transport.tls,
        reply_timeout=settings.smtp_timeout_seconds,
        idle_seconds=settings.smtp_idle_seconds,
        max_messages=settings.smtp_max_messages,
    )
