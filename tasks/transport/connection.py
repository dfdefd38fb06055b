"""A connection to an SMTP server: every wait on it ends by the deadline at the latest."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from tasks.errors import NoConnection, Transient
from tasks.transport.decisions import Stage, Verdict, decide
from tasks.transport.offers import Offers
from tasks.transport.replies import CLOSING, BadReply, Reply, take


_CHUNK = 16_384


class Broken(Exception):
    """The connection cannot be used any more; the text follows the server's name.

    `reply` is what the server said when it closed the connection by itself (421). `silent`: it did
    not answer within the reply timeout.
    """

    def __init__(self, text: str, reply: Reply | None = None, *, silent: bool = False) -> None:
        super().__init__(text)
        self.reply = reply
        self.silent = silent
        #: Bytes that were handed over before it broke, when it broke in `Connection.send`.
        self.written = 0


class Connection:
    """A socket with a deadline, and what is known of the conversation on it."""

    def __init__(self, sock: socket.socket, *, deadline: float, reply_timeout: float) -> None:
        #: In seconds of time.monotonic().
        self.deadline = deadline
        self.offers = Offers()
        #: What is going on, for an error's text.
        self.stage = ""
        #: Every reply asked for has been read: another command may follow.
        self.in_step = True
        #: A transaction was begun and not ended: RSET must come before the next.
        self.needs_reset = False
        #: It has been idle, or has taken a mail: the server may have closed it meanwhile.
        self.reused = False
        #: Transactions begun.
        self.used = 0
        self._socket = sock
        self._reply_timeout = reply_timeout
        self._received = bytearray()
        self._hidden: tuple[bytes, ...] = ()

    @property
    def encrypted(self) -> bool:
        """Whether TLS protects it."""
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def local_address(self) -> str:
        """This end's IP address."""
        return str(self._socket.getsockname()[0])

    def encrypt(self, context: ssl.SSLContext, name: str) -> None:
        """Begin TLS with the server of this name; raises OSError.

        Raises Broken when bytes have arrived before: somebody on the way put replies in clear
        behind the answer to STARTTLS (CVE-2011-0411).
        """
        self.expect_silence()
        self._socket.settimeout(self._wait(self._end_of_wait()))
        self._socket = context.wrap_socket(self._socket, server_hostname=name)

    def send(self, data: bytes) -> None:
        """Write everything. Raises Broken, then what is beyond its `written` was certainly not.

        socket.send either hands bytes to the kernel and says how many, or raises and has handed
        over none (sendall may raise after any number). Under TLS it may raise within a record:
        the peer cannot decrypt a record that is not whole.
        """
        rest = memoryview(data)
        try:
            while rest:
                self._socket.settimeout(self._wait(self._end_of_wait()))
                rest = rest[self._socket.send(rest) :]
        except (OSError, Broken) as error:
            broken = self._broken(error) if isinstance(error, OSError) else error
            broken.written = len(data) - len(rest)
            raise broken from error

    def ask(self, command: bytes) -> Reply:
        """Write a command and read its answer; raises Broken."""
        self.send(command + b"\r\n")
        return self.answer()

    def answer(self) -> Reply:
        """Read the next reply; raises Broken, also when the reply is 421."""
        reply = self.reply()
        if reply.code == CLOSING:
            raise Broken(f"closed the connection: {reply}", reply)
        return reply

    def reply(self, *, patient: bool = False) -> Reply:
        """Read the next reply, whatever it is; raises Broken.

        The whole reply must arrive within the reply timeout; `patient`: within the deadline.
        """
        end = self.deadline if patient else self._end_of_wait()
        try:
            while (reply := take(self._received)) is None:
                self._receive(end)
        except BadReply as error:
            # It quotes what the server said, and that may be what we said.
            raise Broken("sent something that is not SMTP" if self._hidden else str(error)) from (
                None if self._hidden else error
            )
        return self._without_hidden(reply)

    def hide(self, *secrets: bytes) -> None:
        """Quote no words of the server that hold one of these: some repeat what they are told."""
        self._hidden = (*self._hidden, *secrets)

    def expect_silence(self) -> None:
        """Raise Broken when the server said something that was not asked for.

        A reply too many would be taken for the answer to the next command.
        """
        if self._received:
            raise Broken("sent a reply that was not asked for")

    def is_alive(self) -> bool:
        """Look at an idle connection without waiting: False when the server closed it or spoke."""
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def quit(self) -> None:
        """Say QUIT, where it would be heard as a command, and close.

        The answer is not waited for: it would change nothing.
        """
        with contextlib.suppress(OSError):
            self._socket.settimeout(0)
            if self.in_step:
                self._socket.send(b"QUIT\r\n")
        self.close()

    def close(self) -> None:
        """Close at once."""
        self.in_step = False
        self._socket.close()

    def _receive(self, end: float) -> None:
        try:
            data = self._read(end)
        except OSError as error:
            raise self._broken(error) from error
        if not data:
            raise Broken("closed the connection")
        self._received += data

    def _read(self, end: float) -> bytes:
        """Read what comes in time, or is there when the time is over; raises OSError."""
        left = end - time.monotonic()
        if left > 0:
            # Whoever was stopped meanwhile (SIGSTOP, a machine asleep) wakes with the time over,
            # and the socket module does not look again: the answer may be there all the same.
            with contextlib.suppress(TimeoutError):
                self._socket.settimeout(left)
                return self._socket.recv(_CHUNK)
        try:
            self._socket.settimeout(0)
            return self._socket.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError) as error:
            raise TimeoutError from error

    def _end_of_wait(self) -> float:
        return min(self.deadline, time.monotonic() + self._reply_timeout)

    def _wait(self, end: float) -> float:
        left = end - time.monotonic()
        if left > 0:
            return left
        raise self._broken(TimeoutError())

    def _broken(self, error: OSError) -> Broken:
        if not isinstance(error, TimeoutError):
            words = self._last_words()
            said = f", after it said: {words}" if words else ""
            return Broken(f"broke the connection ({reason(error)}){said}", words)
        if time.monotonic() >= self.deadline:
            return Broken("did not answer in the time there was for this mail")
        return Broken(f"did not answer within {self._reply_timeout:g} s", silent=True)

    def _last_words(self) -> Reply | None:
        """Read what the server said before it closed the connection in our face."""
        with contextlib.suppress(OSError, BadReply):
            self._socket.settimeout(0)
            self._received += self._socket.recv(_CHUNK)
            reply = take(self._received)
            return reply and self._without_hidden(reply)
        return None

    def _without_hidden(self, reply: Reply) -> Reply:
        if any(secret in line for line in reply.lines for secret in self._hidden):
            return Reply(reply.code, (b"(its words hold the password)",))
        return reply


def transient(text: str, reply: Reply | None) -> Transient:
    """Make the error of a mail that was begun, with the server's words, where it said any."""
    if reply is None:
        return Transient(text)
    throttled = decide(Stage.DATA, reply).verdict is Verdict.THROTTLED
    return Transient(text, code=reply.code, response=str(reply), throttled=throttled)


def no_connection(text: str, reply: Reply | None = None) -> NoConnection:
    """Make the error of a connection that could not be had."""
    if reply is None:
        return NoConnection(text)
    return NoConnection(text, code=reply.code, response=str(reply))


def reason(error: OSError) -> str:
    """Say in a few words what the operating system or OpenSSL reports."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror or str(error)).lower()
