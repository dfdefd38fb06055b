"""Log in: AUTH with a password, or with an access token."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from config.hosts import is_loopback
from config.smtp import SmtpServer
from tasks.errors import NoConnection
from tasks.transport import auth
from tasks.transport.access_tokens import AccessTokens
from tasks.transport.connection import Connection, no_connection
from tasks.transport.replies import Reply


_CHALLENGE = 334
#: RFC 4954 section 4: the client ends the conversation.
_CANCEL = b"*"
#: Characters of a token or of base64.
_RECOGNISED = 16


class StaleToken(NoConnection):
    """The server refused the access token, and a new one may be had: open again."""


class Login(Protocol):
    """How we make ourselves known to a server."""

    def __call__(self, connection: Connection) -> None:
        """Log in on a connection; raises NoConnection or Broken."""


def to(server: SmtpServer) -> Login | None:
    """Choose the way to log in to a server; None: it knows us without."""
    if server.oauth2 is not None:
        return _WithToken(server, AccessTokens(server.oauth2))
    return _WithPassword(server) if server.username is not None else None


class _WithPassword:
    """The user name and password of SMTP_CONNECTION_URI."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._user = server.username or ""
        self._password = server.password or ""

    def __call__(self, connection: Connection) -> None:
        server, ours = self._server, auth.PASSWORD_MECHANISMS
        _expect_secrecy(connection, server, f"the password of {server.variable}")
        mechanism = auth.choose(connection.offers.auth, ours)
        if mechanism is None:
            raise no_connection(
                f"{server} offers no AUTH that we know ({', '.join(ours)}),"
                f" but {server.variable} names a user"
            )
        connection.hide(*(each.encode() for each in server.telltales))
        reply = _converse(connection, mechanism, ours[mechanism](self._user, self._password))
        if reply.never:
            raise _refused(server, f"refused the user name or password of {server.variable}", reply)
        if not reply.positive:
            raise _refused(server, f"did not finish AUTH {mechanism}", reply)


class _WithToken:
    """OAUTH_USER, with an access token instead of a password."""

    def __init__(self, server: SmtpServer, tokens: AccessTokens) -> None:
        self._server = server
        self._user = server.username or ""
        self._tokens = tokens

    def __call__(self, connection: Connection) -> None:
        server, ours = self._server, auth.TOKEN_MECHANISMS
        _expect_secrecy(connection, server, "the access token")
        mechanism = auth.choose(connection.offers.auth, ours)
        if mechanism is None:
            raise no_connection(
                f"{server} offers no AUTH for OAuth2 ({', '.join(ours)}), which AUTH_TYPE asks for"
            )
        token = self._tokens.get(connection.deadline)
        # The beginning is enough to know what is repeated to us, as it is or as we said it.
        said = next(self._conversation(mechanism, token)) or b""
        known = (token.encode(), _base64(token.encode()).encode(), _base64(said).encode())
        connection.hide(*(each[:_RECOGNISED] for each in known))
        reply = _converse(connection, mechanism, self._conversation(mechanism, token))
        if reply.never:
            renewable = self._tokens.refused(token)
            what = f"refused the access token for OAUTH_USER ({self._user})"
            error = _refused(server, what, reply)
            raise _stale(error) if renewable else error
        if not reply.positive:
            raise _refused(server, f"did not finish AUTH {mechanism}", reply)

    def _conversation(self, mechanism: str, token: str) -> auth.Conversation:
        if mechanism == "XOAUTH2":
            return auth.xoauth2(self._user, token)
        server = self._server
        return auth.oauthbearer(self._user, token, host=server.host, port=server.port)


def _stale(error: NoConnection) -> StaleToken:
    return StaleToken(str(error), code=error.code, response=error.response)


def _expect_secrecy(connection: Connection, server: SmtpServer, secret: str) -> None:
    if not connection.encrypted and not is_loopback(server.host):
        raise no_connection(
            f"{server} does not offer STARTTLS: {secret} would cross the net in clear"
        )


def _refused(server: SmtpServer, what: str, reply: Reply) -> NoConnection:
    return no_connection(f"{server} {what}: {reply}", reply)


def _converse(connection: Connection, mechanism: str, conversation: auth.Conversation) -> Reply:
    initial = next(conversation)
    words = ["AUTH", mechanism] + ([] if initial is None else [_base64(initial)])
    reply = connection.ask(" ".join(words).encode())
    while reply.code == _CHALLENGE:
        said = _answer(conversation, reply)
        reply = connection.ask(said)
        if said == _CANCEL:
            break
    return reply


def _answer(conversation: auth.Conversation, challenge: Reply) -> bytes:
    try:
        said = conversation.send(base64.b64decode(challenge.lines[0]))
    except (binascii.Error, StopIteration):
        return _CANCEL
    return _base64(said or b"").encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
