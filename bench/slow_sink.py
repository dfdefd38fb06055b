"""An SMTP server that waits before every reply: `python -m bench.slow_sink PORT MILLISECONDS`.

One asyncio loop; it reads pipelined commands at once and delays their replies together, as the net
would.
"""

from __future__ import annotations

import asyncio
import sys


_REPLIES = {b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"RSET": b"250 ok\r\n"}


class _Conversation:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
    ) -> None:
        self._reader, self._writer, self._delay = reader, writer, delay

    async def run(self) -> None:
        await self._reply(b"220 slow.example ESMTP\r\n")
        replies = b""
        while line := await self._reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                replies += b"250-slow.example\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
            elif verb == b"DATA":
                await self._reply(replies + b"354 go on\r\n")
                await self._reader.readuntil(b"\r\n.\r\n")
                replies = b"250 ok\r\n"
            elif verb == b"QUIT":
                return
            else:
                replies += _REPLIES.get(verb, b"502 no\r\n")
            if not self._more_is_there():
                await self._reply(replies)
                replies = b""

    def _more_is_there(self) -> bool:
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    async def _reply(self, replies: bytes) -> None:
        await asyncio.sleep(self._delay)
        self._writer.write(replies)
        await self._writer.drain()


async def _serve(port: int, delay: float) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(reader, writer, delay).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=2**24)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]) / 1000))
