"""The server's side of one SMTP connection of a `Sink`."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from typing import NoReturn, Protocol

from tests.support.sink_script import FAULTS, Answer, Message, Script, resolve


#: SO_LINGER with time 0: close() sends RST instead of FIN.
_LINGER_ZERO = struct.pack("ii", 1, 0)
_CHUNK = 262_144


class Host(Protocol):
    """The server, as its conversations see it."""

    tls: ssl.SSLContext | None
    stopped: threading.Event

    @property
    def script(self) -> Script: ...

    def count(self, what: str, command: str | None = None) -> None: ...

    def take(self, message: Message) -> None: ...


class _End(Exception):
    """The conversation is over."""


class Conversation:
    """One connection."""

    def __init__(self, sink: Host, connection: socket.socket) -> None:
        self.connection = connection
        self._sink = sink
        self._unread = bytearray()
        self._replies = bytearray()
        #: None: no transaction.
        self._sender: str | None = None
        self._recipients: list[str] = []

    def run(self) -> None:
        """Talk until the client or the script ends it."""
        with contextlib.suppress(OSError, _End), contextlib.closing(self):
            self._talk()

    def hang_up(self, goodbye: str | None) -> None:
        """End the conversation from another thread."""
        with contextlib.suppress(OSError):
            if goodbye is not None:
                self.connection.sendall(f"{goodbye}\r\n".encode())
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _talk(self) -> None:
        self._say(self._sink.script.connect, "220 sink.example ESMTP")
        while True:
            line = self._line()
            verb = line.partition(" ")[0].upper()
            self._sink.count(verb, line)
            self._obey(verb, line, self._sink.script)

    def _obey(self, verb: str, line: str, script: Script) -> None:
        match verb:
            case "MAIL":
                self._mail(_address(line), script)
            case "RCPT":
                self._rcpt(_address(line), script)
            case "DATA":
                self._data(script)
            case "RSET":
                self._rset(script)
            case "EHLO":
                self._ehlo(script)
            case "HELO":
                self._say(script.helo, "250 sink.example")
            case "STARTTLS":
                self._starttls(script)
            case "AUTH":
                self._say(script.auth, "235 2.7.0 Ok")
            case "QUIT":
                self._say(None, "221 2.0.0 Bye")
                self._end()
            case _:
                self._say(script.unknown, "502 5.5.2 Not implemented")

    def _ehlo(self, script: Script) -> None:
        starttls = ["STARTTLS"] if self._offers_tls() else []
        lines = ["sink.example", *script.extensions, *starttls, "HELP"]
        usual = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}"
        self._say(script.ehlo, usual)

    def _offers_tls(self) -> bool:
        return self._sink.tls is not None and not isinstance(self.connection, ssl.SSLSocket)

    def _starttls(self, script: Script) -> None:
        if self._say(script.starttls, "220 2.0.0 Go ahead") and self._sink.tls:
            self._flush()
            self._unread.clear()
            self.connection = self._sink.tls.wrap_socket(self.connection, server_side=True)

    def _mail(self, sender: str, script: Script) -> None:
        usual = "250 2.1.0 Ok" if self._sender is None else "503 5.5.1 Nested MAIL"
        if self._say(script.mail, usual):
            self._sender = sender

    def _rcpt(self, recipient: str, script: Script) -> None:
        rcpt = script.rcpt
        answer = rcpt.get(recipient) if isinstance(rcpt, Mapping) else rcpt
        usual = "503 5.5.1 MAIL first" if self._sender is None else "250 2.1.5 Ok"
        if self._say(answer, usual):
            self._recipients.append(recipient)

    def _data(self, script: Script) -> None:
        usual = "354 Go ahead" if self._recipients else "554 5.5.1 No valid recipients"
        if not self._say(script.data, usual):
            return
        if (fault := resolve(script.content)) is not None:
            self._fail(fault)
        content = self._content()
        sender, recipients = self._sender or "", tuple(self._recipients)
        self._forget()
        if not recipients:
            self._say(None, "554 5.5.1 No valid recipients")
            return
        if script.deaf:
            self._unread.clear()
        answer = resolve(self._sink.script.after_data)
        if answer is None or answer in FAULTS or answer.startswith("2"):
            self._sink.take(Message(sender, recipients, content, answer not in FAULTS))
        self._say(answer, "250 2.0.0 Ok: queued as 4D1F2")

    def _rset(self, script: Script) -> None:
        if self._say(script.rset, "250 2.0.0 Ok"):
            self._forget()

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    def _say(self, answer: Answer, usual: str) -> bool:
        """Queue a reply, or fail as told; True when the reply is a positive one."""
        reply = resolve(answer)
        if reply is not None and reply in FAULTS:
            self._fail(reply)
        text = usual if reply is None else reply
        self._replies += text.encode("utf-8", "surrogateescape") + b"\r\n"
        if text.startswith("421"):
            self._end()
        return text.startswith(("2", "3"))

    def _fail(self, fault: str) -> NoReturn:
        self._flush()
        if fault == "hang":
            while self.connection.recv(_CHUNK):
                pass
        if fault == "stall":
            self._sink.stopped.wait()
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        raise _End

    def _end(self) -> NoReturn:
        self._flush()
        raise _End

    def _line(self) -> str:
        while (end := self._unread.find(b"\n")) < 0:
            self._receive()
        line = bytes(self._unread[:end]).rstrip(b"\r")
        del self._unread[: end + 1]
        return line.decode("utf-8", "surrogateescape")

    def _content(self) -> bytes:
        """Read up to the final dot, and take away the dots that were stuffed."""
        self._unread[:0] = b"\r\n"
        start = 0
        while (end := self._unread.find(b"\r\n.\r\n", start)) < 0:
            start = max(0, len(self._unread) - 4)
            self._receive()
        content = bytes(self._unread[: end + 2]).replace(b"\r\n.", b"\r\n")
        del self._unread[: end + 5]
        return content[2:]

    def _receive(self) -> None:
        self._flush()
        data = self.connection.recv(_CHUNK)
        if not data:
            raise _End
        self._unread += data

    def _flush(self) -> None:
        if not self._replies:
            return
        script, replies = self._sink.script, bytes(self._replies)
        self._replies.clear()
        self._sink.count("round trip")
        if script.delay:
            self._sink.stopped.wait(script.delay)
        step = 1 if script.trickle else len(replies)
        for start in range(0, len(replies), step):
            if script.trickle:
                self._sink.stopped.wait(script.trickle)
            self.connection.sendall(replies[start : start + step])


def _address(line: str) -> str:
    return line.partition("<")[2].rpartition(">")[0]
