"""The page of the templates, and mails as their templates make them now."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from config.mongo import Document
from console import frame, view
from console.asking import Asking
from console.view import cut
from tasks.errors import InvalidDocument, MailError
from tasks.mail.schema import Message
from tasks.mail.templates import Library
from tasks.mail.templates.rendering import Unrenderable
from tasks.mail.templates.template import Template
from tasks.operating import template_checks
from tasks.operating.mails import SHORT
from tasks.operating.templates import Templates, described


#: Templates on the page; names and errors of one; seconds for compiling them all.
MOST, FEW, _SECONDS = 500, 50, 3.0
#: Problems that one page shows.
_PROBLEMS = 20
#: Characters of a name that can stand in an address.
_NAME = 1000

_log = structlog.get_logger(__name__)


class TemplatePages:
    """Endpoints that change nothing."""

    def __init__(self, asking: Asking, templates: Templates) -> None:
        self._asking = asking
        self._templates = templates

    async def all(self, _: Request) -> Response:
        """GET /api/templates: what each has and uses, and what is wrong with it."""
        return JSONResponse(await self._asking.ask(self._all))

    async def one(self, request: Request) -> Response:
        """GET /api/template?name=…: one, rendered with its sample."""
        name = request.query_params.get("name", "")
        return JSONResponse(await self._asking.ask(self._one, name))

    async def html(self, request: Request) -> Response:
        """GET /template/html?name=…: its HTML, for the frame."""
        name = request.query_params.get("name", "")
        return frame.response(await self._asking.ask(self._html, name), remote=False)

    def mail(self, document: Document) -> tuple[Document, list[str]]:
        """Put into a mail what its template makes now; or say why it makes nothing."""
        try:
            return filled(document, self._templates.mail(document)), []
        except InvalidDocument as error:
            return document, [str(each) for each in error.problems[:_PROBLEMS]]
        except MailError as error:
            return document, [str(error)]
        except PyMongoError as error:
            _log.warning("mongodb.failed", error=str(error))
            return document, [f"the templates could not be read ({type(error).__name__})"]

    def _all(self) -> dict[str, Any]:
        library = self._library()
        rows = []
        every = sorted(_every(library), key=lambda each: (each[0].partial, each[0].name))
        end = time.monotonic() + _SECONDS
        for template, why in every[:MOST]:
            if time.monotonic() > end:
                break
            rows.append(_row(template, library, why))
        return {"templates": rows, "more": len(every) - len(rows)}

    def _one(self, name: str) -> dict[str, Any]:
        library = self._library()
        template = _named(name, library)
        try:
            made = self._templates.sample(template, library)
        except Unrenderable as error:
            return {"name": name, "problems": [_short(each) for each in error.problems[:_PROBLEMS]]}
        text = made.text or ""
        return {
            "name": name,
            "problems": [],
            "hasSample": template.sample is not None,
            "subject": cut(made.subject),
            "text": text[: view.LONGEST_TEXT],
            "textIsCut": len(text) > view.LONGEST_TEXT,
            "hasHtml": bool(made.html),
            "hasRemote": frame.wants_the_net(made.html or ""),
            "attachments": view.attachments(filled({}, made)),
        }

    def _html(self, name: str) -> str | None:
        library = self._library()
        try:
            made = self._templates.sample(_named(name, library), library)
        except Unrenderable:
            return None
        return frame.html(filled({}, made))

    def _library(self) -> Library:
        try:
            library = self._templates.library()
        except MailError as error:
            raise HTTPException(503, str(error)) from None
        if library is None:
            raise HTTPException(404, "TEMPLATES_COLLECTION is not set")
        return library


def filled(document: Document, made: Message) -> Document:
    """Put a message's texts and files into a document, in the document's own shape."""
    given = document.get("message")
    fields = made.model_dump(
        by_alias=True, exclude_none=True, include={"subject", "text", "html", "attachments"}
    )
    texts = {name: value or None for name, value in fields.items()}
    return {**document, "message": {**(given if isinstance(given, dict) else {}), **texts}}


def _every(library: Library) -> Iterator[tuple[Template, str | None]]:
    return itertools.chain(((each, None) for each in library), template_checks.hidden(library))


def _named(name: str, library: Library) -> Template:
    template = library.templates.get(name)
    if template is None:
        raise HTTPException(404, "there is no such template")
    return template


def _row(template: Template, library: Library, hidden: str | None) -> dict[str, Any]:
    """Make a line of the table, short whatever stands in the document."""
    whole = described(template, library)
    return {
        **whole,
        "name": template.name[:_NAME],
        "shown": cut(template.name),
        "data": _few(whole["data"]),
        "partials": _few(whole["partials"]),
        "errors": [_short(hidden)] if hidden else [_short(each) for each in whole["errors"][:FEW]],
        "canPreview": not template.partial and hidden is None and len(template.name) <= _NAME,
    }


def _few(names: list[str]) -> list[str]:
    shown = [_short(each) for each in names[:FEW]]
    return [*shown, f"and {len(names) - FEW} more"] if len(names) > FEW else shown


def _short(text: str) -> str:
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
