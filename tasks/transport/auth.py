"""The mechanisms of AUTH (RFC 4954) as conversations, without any I/O."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Generator, Iterable

from config import oauth2


#: Yields what the client says, takes what the server asks. The first is the initial response;
#: None: this mechanism waits for the server to begin.
Conversation = Generator[bytes | None, bytes, None]


def choose(offered: Iterable[str], ours: Iterable[str]) -> str | None:
    """Pick the first of our mechanisms that the server offers; None: there is none."""
    known = set(offered)
    return next((name for name in ours if name in known), None)


def plain(user: str, password: str) -> Conversation:
    """RFC 4616."""
    yield f"\0{user}\0{password}".encode()


def login(user: str, password: str) -> Conversation:
    """Never standardised (draft-murchison-sasl-login): name and password, each when asked."""
    yield None
    yield user.encode()
    yield password.encode()


def cram_md5(user: str, password: str) -> Conversation:
    """RFC 2195."""
    challenge = yield None
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    yield f"{user} {digest}".encode()


def xoauth2(user: str, token: str) -> Conversation:
    """Google's and Microsoft's: a refusal comes as a challenge, to be answered by nothing."""
    yield oauth2.xoauth2(user, token).encode()
    yield b""


def oauthbearer(user: str, token: str, *, host: str, port: int) -> Conversation:
    """RFC 7628: a refusal comes as a challenge, to be answered by a lone Control-A."""
    yield oauth2.oauthbearer(user, token, host=host, port=port).encode()
    yield b"\1"


#: By preference: PLAIN is what nearly every server has, and needs one round trip.
PASSWORD_MECHANISMS: dict[str, Callable[[str, str], Conversation]] = {
    "PLAIN": plain,
    "LOGIN": login,
    "CRAM-MD5": cram_md5,
}

#: By preference: XOAUTH2 is what Google and Microsoft have in common.
TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
