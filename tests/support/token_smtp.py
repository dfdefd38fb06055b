"""An SMTP server that takes access tokens, as Google's and Microsoft's do."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
from collections.abc import Iterator
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from local import ports
from tests.support.token_endpoint import TokenEndpoint


USER = "shop@example.com"
_PASSWORDS = {"PLAIN", "LOGIN"}


class TokenServer:
    """A handler of aiosmtpd that knows the endpoint's good tokens."""

    def __init__(self, endpoint: TokenEndpoint, *mechanisms: str) -> None:
        self.mechanisms = mechanisms or ("XOAUTH2",)
        self.endpoint = endpoint
        #: The tokens shown, and the client's words to a refusal.
        self.shown: list[str] = []
        self.last_words: list[bytes] = []
        self.taken: list[bytes] = []
        #: Refuses every token, as for an account that may not use SMTP.
        self.refuses_all = False
        #: The reply to a refused token; None: aiosmtpd's 535.
        self.refusal: str | None = None

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = _said(args)
        fields = dict(part.split("=", 1) for part in said.split("\1") if part)
        return await self._judge(server, fields["user"], fields["auth"])

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        header, *rest = _said(args).split("\1")
        fields = dict(part.split("=", 1) for part in rest if part)
        user = header.removeprefix("n,a=").removesuffix(",")
        return await self._judge(server, user, fields["auth"])

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 2.0.0 Ok"

    async def _judge(self, server: SMTP, user: str, credentials: str) -> AuthResult:
        scheme, _, token = credentials.partition(" ")
        self.shown.append(token)
        known = scheme == "Bearer" and user == USER and token in self.endpoint.good
        if known and not self.refuses_all:
            return AuthResult(success=True)
        challenge = json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"})
        words = await server.challenge_auth(challenge)
        assert isinstance(words, bytes)
        self.last_words.append(words)
        return AuthResult(success=False, handled=False, message=self.refusal)


def _said(args: list[str]) -> str:
    assert len(args) == 2, "the first response comes with AUTH"
    return base64.b64decode(args[1], validate=True).decode()


@contextlib.contextmanager
def serving(handler: TokenServer, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run the server; gives its port. `tls`: from the first byte."""
    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=ports.free(),
        auth_require_tls=False,
        auth_required=True,
        auth_exclude_mechanism=(_PASSWORDS | {"XOAUTH2", "OAUTHBEARER"}) - set(handler.mechanisms),
        **options,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
