"""The application: addresses → endpoints, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from config.console import ConsoleSettings
from config.mongo import Document
from config.settings import Settings
from console.asking import Asking, explain
from console.changing import Changing
from console.figures import Figures
from console.guard import Guard, problem
from console.live import Live
from console.login import STATIC, Login
from console.reading import Reading
from console.sessions import Sessions
from console.templates import TemplatePages
from tasks.clock import ServerClock
from tasks.operating.filters import BadFilter
from tasks.operating.templates import Templates


class Console:
    """The page and what is behind it."""

    def __init__(
        self, mails: Collection[Document], general: Settings, settings: ConsoleSettings
    ) -> None:
        self._settings = settings
        self._with_templates = general.templates_collection is not None
        self._sessions = Sessions(settings.password)
        # Cookies know no ports: two consoles of one host would log each other out.
        self._cookie = f"mailtrigger_console_{settings.console_port}"
        clock = ServerClock(mails.database.client)
        self._asking = Asking(mails, clock)
        self._pages = TemplatePages(self._asking, Templates(general, mails))
        self._figures = Figures(mails, clock)
        self._live: Live | None = None

    def application(self) -> Guard:
        """Tie the addresses to their endpoints."""
        login = Login(self._sessions, self._cookie)
        reading = Reading(
            self._asking,
            self._pages,
            self._settings.flower_url,
            with_password=self._sessions.ask_for_password,
            with_templates=self._with_templates,
        )
        changing = Changing(self._asking)
        inner = Starlette(
            routes=[
                Route("/", login.page),
                Route("/login", login.show),
                Route("/login", login.enter, methods=["POST"]),
                Route("/logout", login.leave, methods=["POST"]),
                Route("/healthz", _healthz),
                Route("/api/session", reading.session),
                Route("/api/mails", reading.mails),
                Route("/api/mail", reading.mail),
                Route("/api/changes", changing.count),
                Route("/api/changes", changing.change, methods=["POST"]),
                Route("/api/events", self._events),
                Route("/api/templates", self._pages.all),
                Route("/api/template", self._pages.one),
                Route("/template/html", self._pages.html),
                Route("/mail/html", reading.html),
                Route("/mail/source", reading.source),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            exception_handlers=dict.fromkeys(
                (HTTPException, BadFilter, PyMongoError, Exception), explain
            ),
            lifespan=self._lifespan,
        )
        return Guard(inner, self._sessions, self._cookie)

    def end_all(self) -> None:
        """Let the browsers go that follow."""
        if self._live is not None:
            self._live.end_all()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._live = Live(self._asking.mails, self._figures)
        self._live.start()
        try:
            yield
        finally:
            await self._live.close()

    async def _events(self, request: Request) -> Response:
        """GET /api/events: see `live`."""
        if self._live is None or self._live.is_full:
            return problem(503, "too many browsers follow already")
        session = request.state.session
        events = self._live.events(lambda: self._sessions.holds(session))
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )


async def _healthz(_: Request) -> Response:
    """Tell that the process answers; of MongoDB it says nothing."""
    return PlainTextResponse("ok\n")
