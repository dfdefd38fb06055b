"""The mechanisms of AUTH (RFC 4954) as conversations, without any I/O."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Generator, Iterable


#: Yields what the client says, takes what the server asks. The first is the initial response;
#: None: this mechanism waits for the server to begin.
Conversation = Generator[bytes | None, bytes, None]


def choose(offered: Iterable[str]) -> str | None:
    """Pick a mechanism both sides know; None: there is none."""
    known = set(offered)
    return next((name for name in MECHANISMS if name in known), None)


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


#: By preference: PLAIN is what nearly every server has, and needs one round trip.
MECHANISMS: dict[str, Callable[[str, str], Conversation]] = {
    "PLAIN": plain,
    "LOGIN": login,
    "CRAM-MD5": cram_md5,
}
