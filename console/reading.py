"""The list, one mail, and its parts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from console import frame, view
from console.asking import Asking, id_of
from console.templates import TemplatePages
from tasks.operating import ids, mails, records, search
from tasks.operating.filters import STATES
from tasks.operating.mails import Mail
from tasks.operating.positions import Cursor
from tasks.operating.records import moment


_PAGE = 50


class Reading:
    """Endpoints that change nothing."""

    def __init__(
        self,
        asking: Asking,
        pages: TemplatePages,
        flower_url: str | None,
        *,
        with_password: bool,
        with_templates: bool,
    ) -> None:
        self._asking = asking
        self._pages = pages
        self._flower = flower_url
        self._with_password = with_password
        self._with_templates = with_templates

    async def session(self, request: Request) -> Response:
        """GET /api/session: what the page needs to know first."""
        return JSONResponse(
            {
                "token": request.state.session.token,
                "flower": self._flower,
                "canLogOut": self._with_password,
                "templates": self._with_templates,
                "states": STATES,
            }
        )

    async def mails(self, request: Request) -> Response:
        """GET /api/mails?state=…&after=…: a page of the list, newest first."""
        chosen = await self._asking.filter(request.query_params)
        text = request.query_params.get("after")
        try:
            after = Cursor.parse(text) if text else None
        except ValueError as error:
            raise HTTPException(400, f"after {error}") from None
        page = await self._asking.ask(
            search.find, self._asking.mails, chosen, after=after, limit=_PAGE
        )
        return JSONResponse(
            {
                "mails": [view.line(mail) for mail in page.mails],
                "after": str(page.after) if page.after else None,
                "isCutShort": page.is_cut_short,
                "searchedBackTo": moment(page.searched_back_to),
            }
        )

    async def mail(self, request: Request) -> Response:
        """GET /api/mail?id=…: one mail."""
        mail = await self._find(request)
        return JSONResponse(await self._asking.ask(self._whole, mail))

    async def source(self, request: Request) -> Response:
        """GET /mail/source?id=…: the document, as Extended JSON."""
        mail = await self._find(request)
        text = await self._asking.ask(_source, mail.document)
        name = quote(f"{ids.write(mail.id)[:100]}.json", safe="")
        return PlainTextResponse(
            text,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    async def html(self, request: Request) -> Response:
        """GET /mail/html?id=…&remote=1: the mail's HTML, for the frame."""
        mail = await self._find(request)
        remote = request.query_params.get("remote") == "1"
        text = await self._asking.ask(self._html, mail, remote=remote)
        return frame.response(text, remote=remote)

    def _whole(self, mail: Mail) -> dict[str, Any]:
        if not mail.document.get("template"):
            return view.whole(mail, self._flower)
        return view.whole(mail, self._flower, *self._pages.mail(mail.document))

    def _html(self, mail: Mail, *, remote: bool) -> str | None:
        document = mail.document
        if document.get("template"):
            document, _ = self._pages.mail(document)
        return frame.html(document, remote=remote)

    async def _find(self, request: Request) -> Mail:
        id = id_of(request.query_params.get("id"))
        mail: Mail | None = await self._asking.ask(mails.get, self._asking.mails, id)
        if mail is None:
            raise HTTPException(404, "there is no such mail")
        return mail


def _source(document: Any) -> str:
    return json.dumps(records.of_document(document), indent=2, ensure_ascii=False)
