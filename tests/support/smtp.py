"""A mail, a transport to send it by, and the sending: what tests of SMTP begin with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from config.smtp import SmtpServer, parse
from config.tls import TlsOptions
from tasks.envelope import Mail
from tasks.outcome import Outcome
from tasks.transport import SmtpTransport


SENDER = "sender@example.com"
BOTH = ("a@example.com", "b@example.com")


def a_mail(content: bytes = b"Subject: x\r\n\r\nhello\r\n", to: tuple[str, ...] = BOTH) -> Mail:
    """Make a mail, to two recipients by default."""
    return Mail(sender=SENDER, recipients=to, content=content, message_id="<1@example.com>")


@contextlib.contextmanager
def transport_to(
    server: SmtpServer | str,
    tls: TlsOptions | None = None,
    *,
    reply_timeout: float = 5,
    idle_seconds: float = 30,
    max_messages: int = 1000,
) -> Iterator[SmtpTransport]:
    """Make a transport to a server, or to that of a URI, and close it in the end."""
    transport = SmtpTransport(
        parse(server) if isinstance(server, str) else server,
        tls or TlsOptions(),
        reply_timeout=reply_timeout,
        idle_seconds=idle_seconds,
        max_messages=max_messages,
    )
    with contextlib.closing(transport):
        yield transport


def send(
    transport: SmtpTransport,
    mail: Mail | None = None,
    *,
    seconds: float = 10,
    before_data: Callable[[], bool] | None = None,
) -> Outcome:
    """Send a mail in a session of its own, within some seconds."""
    deadline = time.monotonic() + seconds
    with transport.session(deadline) as session:
        return session.submit(mail or a_mail(), deadline=deadline, before_data=before_data)
