"""The page, its JSON API and its live events.

GET    /                            the page
GET    /api/mails?search=WORDS      {"mails": [...]}, newest first
GET    /api/mails/ID                one mail: envelope, headers, text, html, attachments
DELETE /api/mails, /api/mails/ID    forget all, or one
GET    /api/events                  server-sent events: "change" after every change
GET    /mails/ID/html?remote=1      the HTML body for the frame
GET    /mails/ID/attachments/N      a file, N from 0
GET    /mails/ID/source             the mail as it came; ?download=1 as a file
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

from local.inbox import frame, message, view
from local.inbox.store import Entry, Store
from local.ports import LOOPBACK


_STATIC = Path(__file__).parent / "static"
_KEEP_ALIVE_SECONDS = 15

_PAGE_POLICIES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    # Holds the mail's frame here, too: a mail cannot send it to another site.
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)


def serve(store: Store, port: int) -> HTTPServer:
    """Listen for browsers."""
    server = HTTPServer(application(store))
    server.listen(port, LOOPBACK)
    return server


def application(store: Store) -> Application:
    """Tie the addresses to their handlers."""
    context = {"store": store}
    mail = r"([0-9a-f-]+)"
    return Application(
        [
            (r"/api/mails", MailsHandler, context),
            (rf"/api/mails/{mail}", MailHandler, context),
            (r"/api/events", EventsHandler, context),
            (rf"/mails/{mail}/html", HtmlHandler, context),
            (rf"/mails/{mail}/attachments/(\d+)", AttachmentHandler, context),
            (rf"/mails/{mail}/source", SourceHandler, context),
            (r"/()", PageHandler, {"path": _STATIC, "default_filename": "index.html"}),
            (r"/static/(.*)", PageHandler, {"path": _STATIC}),
        ],
        default_handler_class=NotFoundHandler,
    )


class Guarded(RequestHandler):
    """What every answer has in common."""

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", "; ".join(_PAGE_POLICIES))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("X-DNS-Prefetch-Control", "off")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def prepare(self) -> None:
        """Refuse foreign names.

        A web page of anybody could point its own name at 127.0.0.1 and read the mails with the
        browser of whoever visits it (DNS rebinding); the Host header gives it away.
        """
        host = urlsplit(f"//{self.request.host}").hostname
        if host not in ("localhost", "127.0.0.1"):
            raise HTTPError(403, reason="Open this page as http://localhost or http://127.0.0.1")

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")


class PageHandler(Guarded, StaticFileHandler):
    """The page's own files."""

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's hook
        self.set_header("Cache-Control", "no-cache")


class NotFoundHandler(Guarded):
    """Any other address."""

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)


class MailsHandler(Guarded):
    """The list."""

    def initialize(self, store: Store) -> None:
        self.store = store

    def get(self) -> None:
        entries = self.store.newest(self.get_query_argument("search", ""))
        self.finish({"mails": [view.line(entry) for entry in entries]})

    def delete(self) -> None:
        self.store.clear()
        self.set_status(204)


class OfOneMail(Guarded):
    """Answers about one mail."""

    def initialize(self, store: Store) -> None:
        self.store = store

    def entry(self, id: str) -> Entry:
        """Find it, or answer 404."""
        entry = self.store.get(id)
        if entry is None:
            raise HTTPError(404, reason="No such mail")
        return entry

    def parsed(self, id: str) -> message.Parsed:
        """Take it apart."""
        return message.parse(self.store.source(self.entry(id).id))

    def attach(self, filename: str) -> None:
        """Have the browser save the answer, never show it (RFC 6266)."""
        name = quote(filename, safe="")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")


class MailHandler(OfOneMail):
    """One mail as JSON."""

    def get(self, id: str) -> None:
        self.finish(view.mail(self.entry(id), self.parsed(id)))

    def delete(self, id: str) -> None:
        self.store.delete(self.entry(id).id)
        self.set_status(204)


class HtmlHandler(OfOneMail):
    """The HTML body, for the frame."""

    def get(self, id: str) -> None:
        mail = self.parsed(id)
        if mail.html is None:
            raise HTTPError(404, reason="This mail has no HTML")
        remote = self.get_query_argument("remote", "") == "1"
        self.set_header("Content-Security-Policy", frame.policy(remote=remote))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(frame.document(mail.html, mail.parts))


class AttachmentHandler(OfOneMail):
    """A file, to be saved."""

    def get(self, id: str, number: str) -> None:
        parts = self.parsed(id).parts
        if int(number) >= len(parts):
            raise HTTPError(404, reason="No such attachment")
        part = parts[int(number)]
        self.attach(part.filename)
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(part.content)


class SourceHandler(OfOneMail):
    """The mail as it came."""

    def get(self, id: str) -> None:
        source = self.store.source(self.entry(id).id)
        if self.get_query_argument("download", "") == "1":
            self.attach(f"{id}.eml")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(source)


class EventsHandler(Guarded):
    """Live: one event after every change; several changes may come as one."""

    def initialize(self, store: Store) -> None:
        self.store = store
        self._changed = asyncio.Event()

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.store.listen(self._changed.set)
        try:
            self.write("retry: 1000\n\n")
            await self.flush()
            while True:
                self.write(await self._next())
                await self.flush()
        except StreamClosedError:
            pass  # the page was closed: the usual end
        finally:
            self.store.ignore(self._changed.set)

    def on_connection_close(self) -> None:
        self.store.ignore(self._changed.set)

    async def _next(self) -> str:
        try:
            await asyncio.wait_for(self._changed.wait(), _KEEP_ALIVE_SECONDS)
        except TimeoutError:
            return ": still here\n\n"
        self._changed.clear()
        newest = self.store.newest()[:1]
        return f"event: change\ndata: {json.dumps([entry.id for entry in newest])}\n\n"
