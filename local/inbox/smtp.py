"""The SMTP side: takes every mail for everybody."""

from __future__ import annotations

import asyncio
import logging
import socket

from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from local.inbox.store import Envelope, Store
from local.ports import LOOPBACK


#: Bytes; MongoDB's largest document is 16 MB, in base64 22 MB.
SIZE_LIMIT = 32 * 1024 * 1024

logger = logging.getLogger(__name__)


async def serve(store: Store, port: int) -> asyncio.Server:
    """Listen for mails."""
    handler = _Handler(store)
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            handler,
            hostname=socket.gethostname(),
            ident="Mailtrigger inbox",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
        ),
        LOOPBACK,
        port,
    )


class _Handler:
    """aiosmtpd's hooks; their names are its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,
        envelope: SmtpEnvelope,  # noqa: ARG002
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer PIPELINING (RFC 2920): aiosmtpd reads from a buffer and never throws input away."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: SmtpEnvelope,
    ) -> str:
        content = envelope.content
        source = content.encode() if isinstance(content, str) else content or b""
        said = Envelope(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            smtputf8=bool(envelope.smtp_utf8),
        )
        try:
            entry = self._store.add(source, said)
        except OSError as error:
            logger.exception("A mail could not be written")
            return f"452 4.3.1 The inbox cannot write the mail: {error.strerror}"
        return f"250 2.0.0 OK: kept as {entry.id}"
