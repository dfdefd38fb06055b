"""An SMTP server that waits before every reply: `python -m bench.slow_sink PORT MS [FILE]`.

One asyncio loop; it reads pipelined commands at once and delays their replies together, as the net
would. FILE gets a line with the recipients of each mail when the last byte of the mail is there.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


#: Is told the recipients of each mail.
Taken = Callable[[Sequence[str]], None]

_REPLIES = {b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"RSET": b"250 ok\r\n"}


class _Conversation:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        delay: float,
        taken: Taken,
    ) -> None:
        self._reader, self._writer, self._delay, self._taken = reader, writer, delay, taken
        self._recipients: list[str] = []

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
                self._taken(self._recipients)
                replies = b"250 ok\r\n"
            elif verb == b"QUIT":
                return
            else:
                self._note(verb, line)
                replies += _REPLIES.get(verb, b"502 no\r\n")
            if not self._more_is_there():
                await self._reply(replies)
                replies = b""

    def _note(self, verb: bytes, line: bytes) -> None:
        if verb == b"MAIL":
            self._recipients = []
        elif verb == b"RCPT":
            self._recipients.append(line[line.find(b"<") + 1 : line.find(b">")].decode())

    def _more_is_there(self) -> bool:
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    async def _reply(self, replies: bytes) -> None:
        await asyncio.sleep(self._delay)
        self._writer.write(replies)
        await self._writer.drain()


async def _serve(port: int, delay: float, taken: Taken) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(reader, writer, delay, taken).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=2**24, backlog=1000)
    await server.serve_forever()


def _main(port: str, milliseconds: str, file: str | None = None) -> None:
    if file is None:
        asyncio.run(_serve(int(port), int(milliseconds) / 1000, lambda _: None))
        return
    with Path(file).open("ab", buffering=0) as records:

        def taken(recipients: Sequence[str]) -> None:
            records.write(b" ".join(each.encode() for each in recipients) + b"\n")

        asyncio.run(_serve(int(port), int(milliseconds) / 1000, taken))


if __name__ == "__main__":
    _main(*sys.argv[1:])
