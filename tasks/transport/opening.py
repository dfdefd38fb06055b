"""Open a connection: connect, greeting, EHLO, STARTTLS, AUTH.

Every failure is NoConnection, even a refused password: a setting can be put right, and then the
same mail goes out.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any

from config.smtp import Security, SmtpServer
from config.tls import TlsOptions
from tasks.errors import NoConnection, Transient
from tasks.observing import staged
from tasks.transport import login, offers
from tasks.transport.connection import Broken, Connection, no_connection, reason, transient
from tasks.transport.replies import Reply


_SMTPS_PORT = 465
#: What OpenSSL makes of a greeting in clear.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")

#: What socket.getaddrinfo gives: family, type, protocol, canonical name, address.
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


class Opener:
    """Opens connections to one server."""

    def __init__(self, server: SmtpServer, tls: TlsOptions, *, reply_timeout: float) -> None:
        self.server = server
        #: The server answers an envelope that is written behind a mail's content.
        self.looks_ahead = True
        self._reply_timeout = reply_timeout
        self._context = tls.context()
        self._name = tls.servername or server.host
        self._log_in = login.to(server)

    def open(self, deadline: float) -> Connection:
        """Make a connection that is ready for MAIL; raises NoConnection."""
        try:
            return self._open(deadline)
        except login.StaleToken:
            return self._open(deadline)  # with another token

    def _open(self, deadline: float) -> Connection:
        connection = self._connect(deadline)
        try:
            self._begin(connection)
        except Broken as error:
            connection.close()
            raise no_connection(self._lost(connection, error), error.reply) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def lost(self, connection: Connection, error: Broken) -> Transient:
        """Make the error of a connection that broke before it had the mail's content."""
        return transient(self._lost(connection, error), error.reply)

    def _lost(self, connection: Connection, error: Broken) -> str:
        return f"{self.server} {error} ({connection.stage}); nothing was sent"

    @staged("connect")
    def _connect(self, deadline: float) -> Connection:
        """Try the server's addresses in turn, each with its share of the time."""
        failure: OSError = TimeoutError()
        addresses = self._addresses()
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            share = (deadline - time.monotonic()) / (len(addresses) - tried)
            if share <= 0:
                break
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(share, self._reply_timeout))
                sock.connect(address)
                # The content follows the envelope at once: Nagle would wait for a delayed ACK.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return Connection(sock, deadline=deadline, reply_timeout=self._reply_timeout)
        raise self._unreachable(failure) from failure

    def _addresses(self) -> Sequence[_Address]:
        """Look the host up.

        The operating system gives this no time limit that we could set (resolv.conf: 5 s a name
        server, two attempts); the deadline counts again from the first address.
        """
        server = self.server
        try:
            return socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._unreachable(error) from error

    def _begin(self, connection: Connection) -> None:
        if self.server.security is Security.TLS:
            self._encrypt(connection)
        self._greeting(connection)
        self._hello(connection)
        if self.server.security is not Security.TLS:
            self._starttls(connection)
        if self._log_in is not None:
            self._authenticate(connection, self._log_in)

    def _greeting(self, connection: Connection) -> None:
        connection.stage = "waiting for its greeting"
        if self.server.port == _SMTPS_PORT and not connection.encrypted:
            connection.stage += f"; port 465 usually wants {self.server.switch(Security.TLS)}"
        reply = connection.answer()
        if not reply.positive:
            raise self._refused("refused the connection", reply)

    @staged("hello")
    def _hello(self, connection: Connection) -> None:
        connection.stage = "EHLO"
        name = self.server.client_name or _own_name(connection.local_address)
        reply = connection.ask(f"EHLO {name}".encode())
        if reply.positive:
            connection.offers = offers.parse(reply)
            return
        if reply.never:  # RFC 5321 3.2: a server that knows no EHLO
            reply = connection.ask(f"HELO {name}".encode())
        if not reply.positive:
            raise self._refused(f"refused our name {name}", reply)

    def _starttls(self, connection: Connection) -> None:
        connection.stage = "STARTTLS"
        required = self.server.security is Security.REQUIRED
        if not connection.offers.starttls:
            if required:
                raise no_connection(
                    f"{self.server} does not offer STARTTLS, which {self.server.variable} requires"
                )
            return
        reply = connection.ask(b"STARTTLS")
        if reply.positive:
            self._encrypt(connection)
            self._hello(connection)  # what was said in clear counts no more: RFC 3207 4.2
        elif required:
            raise self._refused("refused STARTTLS", reply)

    @staged("tls")
    def _encrypt(self, connection: Connection) -> None:
        connection.stage = "TLS"
        try:
            connection.encrypt(self._context, self._name)
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message.removesuffix(".")
            raise no_connection(
                f"{self.server} has a certificate that is not trusted: {why};"
                f" see TLS_OPTIONS{self.server.suffix}"
            ) from error
        except OSError as error:
            hint = f"; does the server want {self.server.switch(Security.REQUIRED)}?"
            plain = isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS
            raise no_connection(
                f"{self.server}: TLS failed: {reason(error)}{hint if plain else ''}"
            ) from error

    @staged("auth")
    def _authenticate(self, connection: Connection, log_in: login.Login) -> None:
        connection.stage = "AUTH"
        log_in(connection)

    def _refused(self, what: str, reply: Reply) -> NoConnection:
        return no_connection(f"{self.server} {what}: {reply}", reply)

    def _unreachable(self, error: OSError) -> NoConnection:
        return no_connection(f"{self.server} cannot be reached: {reason(error)}")


def _own_name(address: str) -> str:
    """This machine's name for EHLO; RFC 5321 4.1.4: an address literal when it has none.

    Not socket.getfqdn(), which asks name servers and may take long.
    """
    name = socket.gethostname()
    if _DOMAIN.fullmatch(name):
        return name
    tag = "IPv6:" if ipaddress.ip_address(address).version == 6 else ""  # noqa: PLR2004
    return f"[{tag}{address}]"
