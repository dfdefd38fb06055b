"""What stands before every request, and the headers of every answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.sessions import Session, Sessions, is_token


#: Bytes of a request's body: a filter, or the id of a mail.
LARGEST_BODY = 64 * 1024

_TOO_LARGE = "The request is too large"

LOGIN = "/login"
#: What whoever comes may see: no mail, no secret.
_OPEN = (LOGIN, "/healthz")
_STATIC = "/static/"
_SAFE_METHODS = ("GET", "HEAD")
_OUR_NAMES = ("localhost", "127.0.0.1", "::1")

_POLICIES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    # Holds the mail's frame here, too: a mail cannot send it to another site.
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    # A text that becomes HTML by mistake is an error instead.
    "require-trusted-types-for 'script'",
)
_HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICIES),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a form would not say where it comes from (Origin: null).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware around everything."""

    app: ASGIApp
    sessions: Sessions
    cookie: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what must not pass; pass on the rest, with `session` in the request's state."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        session = self.sessions.find(request.cookies.get(self.cookie))
        request.state.session = session
        refused = self._refused(request, session)
        if refused is not None:
            await refused(scope, receive, guarded)
            return
        await self.app(scope, _bounded(scope, receive), guarded)

    def _refused(self, request: Request, session: Session | None) -> Response | None:
        if not self.sessions.ask_for_password and not is_ours(request.headers.get("host", "")):
            # A web page of anybody could point its own name at 127.0.0.1 and use the console with
            # the browser of whoever visits it (DNS rebinding). With a password it has no cookie.
            return problem(403, "Open this page as http://localhost or http://127.0.0.1")
        if _length(request.headers) > LARGEST_BODY:
            return problem(413, _TOO_LARGE)
        if request.method not in _SAFE_METHODS and not comes_from_us(request.headers):
            return problem(403, "The request comes from another site")
        return self._not_allowed(request, session)

    def _not_allowed(self, request: Request, session: Session | None) -> Response | None:
        path = request.url.path
        if path in _OPEN or path.startswith(_STATIC):
            return None
        if session is None:
            return self._without_session(path)
        token = request.headers.get("x-csrf-token")
        if request.method not in _SAFE_METHODS and not is_token(session, token):
            return problem(403, "The token of the session is missing; reload the page")
        return None

    def _without_session(self, path: str) -> Response | None:
        if path != "/":
            return problem(401, "Log in first")
        return RedirectResponse(LOGIN, 303) if self.sessions.ask_for_password else None


def problem(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with what is wrong, for a person."""
    return JSONResponse({"error": text}, status, headers)


def is_ours(host: str) -> bool:
    """Tell whether a Host header names this machine's loopback."""
    try:
        return urlsplit(f"//{host}").hostname in _OUR_NAMES
    except ValueError:
        return False


def comes_from_us(headers: Headers) -> bool:
    """Tell whether a browser says that our own page asks; one that says nothing is none."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc == headers.get("host")
    except ValueError:
        return False


def _length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else LARGEST_BODY + 1  # noqa: PLR2004


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Count the bytes of a body that does not say its length."""
    if scope["method"] in _SAFE_METHODS:
        return receive
    room = LARGEST_BODY

    async def counted() -> Message:
        nonlocal room
        message = await receive()
        room -= len(message.get("body", b""))
        if room < 0:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return counted
