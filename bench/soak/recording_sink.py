"""An SMTP server that prints every recipient: `python -m bench.soak.recording_sink PORT`."""

from __future__ import annotations

import asyncio
import os
import sys


_GREETING = b"220 recording.example ESMTP\r\n"
_EHLO = b"250-recording.example\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
_END = b"\r\n.\r\n"


class _Conversation(asyncio.Protocol):
    """Reads whatever has come, answers it at once."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = b""
        self._recipients: list[bytes] = []
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = b""
        while (unit := self._next_unit()) is not None:
            replies += self._answer(unit)
        if replies:
            self._transport.write(replies)

    def _next_unit(self) -> bytes | None:
        """Take a command, or a mail's content, from the buffer; None: more must come."""
        unit, end, rest = self._buffer.partition(_END if self._in_data else b"\r\n")
        if not end:
            return None
        self._buffer = rest
        return unit

    def _answer(self, unit: bytes) -> bytes:
        if self._in_data:
            self._in_data = False
            return self._accept()
        verb = unit[:4].upper()
        if verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"RCPT":
            self._recipients.append(unit[unit.index(b"<") + 1 : unit.index(b">")])
        elif verb in (b"MAIL", b"RSET"):
            self._recipients = []
        elif verb == b"EHLO":
            return _EHLO
        elif verb == b"QUIT":
            self._transport.close()
            return b"221 bye\r\n"
        return b"250 ok\r\n"

    def _accept(self) -> bytes:
        # Before the reply: what the client believes to be taken is on record.
        os.write(1, b"".join(recipient + b"\n" for recipient in self._recipients))
        self._recipients = []
        return b"250 ok\r\n"


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Conversation, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
