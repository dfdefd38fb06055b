"""The login page, and the end of a session."""

from __future__ import annotations

import math
from pathlib import Path
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.sessions import Sessions
from console.throttle import Throttle


STATIC = Path(__file__).parent / "static"

_log = structlog.get_logger(__name__)


class Login:
    """The page, and who comes in."""

    def __init__(self, sessions: Sessions, cookie: str) -> None:
        self._sessions = sessions
        self._cookie = cookie
        self._throttle = Throttle()
        self._page = STATIC.joinpath("login.html").read_text(encoding="utf-8")

    async def show(self, request: Request) -> Response:
        """GET /login."""
        if request.state.session is not None or not self._sessions.ask_for_password:
            return RedirectResponse("/", 303)
        return self._answer("")

    async def enter(self, request: Request) -> Response:
        """POST /login, a form with `password`."""
        client = request.client.host if request.client else ""
        wait = self._throttle.take(client)
        if wait > 0:
            _log.warning("login.throttled", client=client)
            seconds = math.ceil(wait)
            answer = self._answer(f"Too many tries. Wait {seconds} seconds.", 429)
            answer.headers["Retry-After"] = str(seconds)
            return answer
        if not self._sessions.knows(_password(await request.body())):
            _log.warning("login.failed", client=client)
            return self._answer("This is not the password.", 401)
        self._throttle.forgive(client)
        if request.state.session is not None:
            self._sessions.end(request.state.session.key)
        _log.info("login.done", client=client)
        inside = RedirectResponse("/", 303)
        self.admit(request, inside)
        return inside

    async def leave(self, request: Request) -> Response:
        """POST /logout."""
        self._sessions.end(request.state.session.key)
        answer = Response(status_code=204)
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    async def page(self, request: Request) -> Response:
        """GET /: the console. Without a password everybody who may reach it has a session."""
        answer = HTMLResponse(STATIC.joinpath("index.html").read_bytes())
        if request.state.session is None:
            self.admit(request, answer)
        return answer

    def admit(self, request: Request, answer: Response) -> None:
        """Begin a session, in a cookie that no script and no other site can use."""
        proto = request.headers.get("x-forwarded-proto", request.url.scheme)
        answer.set_cookie(
            self._cookie,
            self._sessions.begin().key,
            path="/",
            secure=proto == "https",
            httponly=True,
            samesite="strict",
        )

    def _answer(self, text: str, status: int = 200) -> HTMLResponse:
        """Fill in one of our own texts."""
        return HTMLResponse(self._page.replace("<!-- problem -->", text), status)


def _password(form: bytes) -> str:
    try:
        fields = parse_qs(form.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:  # more fields than ours
        return ""
    return fields.get("password", [""])[0]
