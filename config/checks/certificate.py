"""How long a server's certificate is still good."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime

from config.checks.finding import Finding, Level


#: Those who renew by themselves do so 30 days before the end (certbot): then something is wrong.
_SOON_DAYS = 21
_DAY = 86_400


def good(connection: socket.socket | None, subject: str, version: str) -> Finding:
    """Tell until when the certificate of a checked connection holds."""
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    end = certificate.get("notAfter") if certificate else None
    text = f"{version}, certificate good"
    if not isinstance(end, str):
        return Finding(subject, Level.OK, text)
    seconds = ssl.cert_time_to_seconds(end)
    text = f"{text} until {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    days = (seconds - time.time()) / _DAY
    if days > _SOON_DAYS:
        return Finding(subject, Level.OK, text)
    advice = f"renew it: {days:.0f} days are left"
    return Finding(subject, Level.WARNING, text, advice)
