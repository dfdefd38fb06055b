"""A scriptable SMTP server: it records what it takes, and fails where it is told to.

    with Sink(script=Script(rcpt={"bad@example.com": "550 5.1.1 no such user"})) as sink:
        ...  # send to sink.uri
        assert sink.wait(1)[0].recipients == ("good@example.com",)
        sink.script = Script(after_data=first(2, "drop"))  # from the next command on

One thread for each connection; replies to pipelined commands leave together (RFC 2920).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Self

from tests.support.sink_conversation import Conversation
from tests.support.sink_script import Answer, InTurn, Message, Script, first


__all__ = ["Answer", "InTurn", "Message", "Script", "Sink", "first"]

_KEPT_COMMANDS = 10_000


class Sink:
    """The server, on a random port of 127.0.0.1, until `close` or the end of its `with` block."""

    def __init__(self, *, script: Script | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Listen; `tls`: offer STARTTLS with this context."""
        self.tls = tls
        self.stopped = threading.Event()
        #: The mails taken, in order. A mail taken twice is here twice.
        self.messages: list[Message] = []
        #: The last command lines, of all connections.
        self.commands: deque[str] = deque(maxlen=_KEPT_COMMANDS)
        #: How often each verb ("MAIL"), "connect" and "round trip" was seen.
        self.counts: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._conversations: set[Conversation] = set()
        self._threads: list[threading.Thread] = []
        self._script = Script()
        self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.script = script or Script()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def uri(self) -> str:
        """SMTP_CONNECTION_URI of this server."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._conversations)

    @property
    def script(self) -> Script:
        """What the server does from now on, on open connections too."""
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        refused, self._script = self._script.connect == "refuse", script
        if script.connect == "refuse" and not refused:
            self._stop_listening()
        elif refused and script.connect != "refuse":
            self._listen(self.port)

    def wait(self, count: int, seconds: float = 10) -> list[Message]:
        """Wait until that many mails were taken, and give them; raises TimeoutError."""
        with self._changed:
            self.wait_until(lambda _: len(self.messages) >= count, seconds)
            return list(self.messages)

    def wait_until(self, condition: Callable[[Sink], bool], seconds: float = 10) -> None:
        """Wait until something is true of this server; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), seconds):
                raise TimeoutError(f"not so after {seconds} s; seen: {dict(self.counts)}")

    def disconnect(self, goodbye: str | None = None) -> None:
        """Close all connections, as a server does with idle ones or when it stops."""
        with self._changed:
            conversations = list(self._conversations)
        for conversation in conversations:
            conversation.hang_up(goodbye)

    def close(self) -> None:
        """Stop listening, close all connections, wait for the threads."""
        self.stopped.set()
        self._stop_listening()
        self.disconnect()
        for thread in self._threads:
            thread.join()

    def count(self, what: str, command: str | None = None) -> None:
        """Note that something happened."""
        with self._changed:
            self.counts[what] += 1
            if command is not None:
                self.commands.append(command)
            self._changed.notify_all()

    def take(self, message: Message) -> None:
        """Record a mail."""
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _stop_listening(self) -> None:
        # close() alone does not wake the thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(Conversation(self, connection))

    def _serve(self, conversation: Conversation) -> None:
        with self._changed:
            self._conversations.add(conversation)
            self.counts["connect"] += 1

        def run() -> None:
            conversation.run()
            with self._changed:
                self._conversations.discard(conversation)
                self._changed.notify_all()

        thread = threading.Thread(target=run, daemon=True)
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()
