"""Retry, resend, cancel: of one mail or of all that a filter finds, counted before."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from console.asking import Asking, id_of
from tasks.operating import changes, search
from tasks.operating.changes import Changed, Kind, Which
from tasks.operating.filters import Filter
from tasks.operating.search import Count


#: Changes by filter at once.
_AT_ONCE = 2
#: Seconds between two lines about the progress.
_PROGRESS = 0.25

_log = structlog.get_logger(__name__)


class _Stopped(Exception):
    """The browser has gone, or the console ends."""


@dataclasses.dataclass(slots=True)
class _Progress:
    done: Changed = dataclasses.field(default_factory=Changed)
    stopped: bool = False

    def note(self, looked_at: int, changed: int) -> None:
        self.done = Changed(looked_at, changed)
        if self.stopped:
            raise _Stopped


class Changing:
    """Endpoints that change mails, and the counting before."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._running = 0

    async def count(self, request: Request) -> Response:
        """GET /api/changes?kind=…&state=…: how many mails a change would be for."""
        kind = _kind(request.query_params.get("kind"))
        chosen = changes.narrowed(await self._asking.filter(request.query_params), kind)
        if chosen is None:
            return JSONResponse({"certain": _count(None), "inDoubt": _count(None)})
        if kind is not Kind.RETRY:
            return JSONResponse({"certain": await self._number(chosen), "inDoubt": _count(None)})
        parts = {
            doubt: dataclasses.replace(chosen, in_doubt=doubt)
            if chosen.in_doubt in (None, doubt)
            else None
            for doubt in (False, True)
        }
        certain, in_doubt = await self._number(parts[False]), await self._number(parts[True])
        return JSONResponse({"certain": certain, "inDoubt": in_doubt})

    async def change(self, request: Request) -> Response:
        """POST /api/changes: {kind, id | filter, inDoubt}; a line of JSON for each step."""
        wish = await _body(request)
        kind, in_doubt = _kind(wish.get("kind")), wish.get("inDoubt", False)
        if not isinstance(in_doubt, bool) or ("id" in wish) == ("filter" in wish):
            raise HTTPException(400, "needs either an id or a filter, and inDoubt true or false")
        which = await self._which(wish)
        if isinstance(which, Filter) and self._running >= _AT_ONCE:
            raise HTTPException(429, "other changes are running; wait for their end")
        return StreamingResponse(
            self._run(kind, which, in_doubt=in_doubt), media_type="application/x-ndjson"
        )

    async def _number(self, chosen: Filter | None) -> dict[str, Any]:
        if chosen is None:
            return _count(None)
        return _count(await self._asking.ask(search.count, self._asking.mails, chosen))

    async def _which(self, wish: dict[str, Any]) -> Which:
        if "id" in wish:
            if not isinstance(wish["id"], str):
                raise HTTPException(400, "id must be a text")
            return [id_of(wish["id"])]
        if not isinstance(wish["filter"], dict):
            raise HTTPException(400, "filter must be a map")
        return await self._asking.filter(wish["filter"])

    async def _run(self, kind: Kind, which: Which, *, in_doubt: bool) -> AsyncIterator[str]:
        progress = _Progress()
        self._running += 1
        started = asyncio.create_task(
            self._asking.ask(self._write, kind, which, progress, in_doubt=in_doubt)
        )
        started.add_done_callback(self._ended)
        try:
            while not started.done():
                await asyncio.wait({started}, timeout=_PROGRESS)
                yield _line(progress.done)
            yield _line(started.result(), is_done=True)
        except PyMongoError as error:
            _log.warning("change.failed", error=str(error), changed=progress.done.changed)
            yield _line(progress.done, problem=f"MongoDB failed ({type(error).__name__})")
        finally:
            progress.stopped = True

    def _write(self, kind: Kind, which: Which, progress: _Progress, *, in_doubt: bool) -> Changed:
        try:
            if kind is Kind.RETRY:
                done = changes.retry(
                    self._asking.mails, which, in_doubt=in_doubt, progress=progress.note
                )
            elif kind is Kind.RESEND:
                done = changes.resend(self._asking.mails, which, progress=progress.note)
            else:
                done = changes.cancel(self._asking.mails, which, progress=progress.note)
        except _Stopped:
            done = progress.done
        by = "filter" if isinstance(which, Filter) else "id"
        _log.info("change.done", kind=kind.value, by=by, in_doubt=in_doubt, changed=done.changed)
        return done

    def _ended(self, task: asyncio.Task[Changed]) -> None:
        self._running -= 1
        if not task.cancelled():
            task.exception()  # seen, also when the browser has gone


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError:
        raise HTTPException(400, f"kind must be one of {', '.join(Kind)}") from None


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is no JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the request must be a map")
    return body


def _count(count: Count | None) -> dict[str, Any]:
    found = count or Count(0, is_exact=True)
    return {"number": found.number, "isExact": found.is_exact, "text": str(found)}


def _line(so_far: Changed, *, is_done: bool = False, problem: str | None = None) -> str:
    record = {
        "lookedAt": so_far.looked_at,
        "changed": so_far.changed,
        "done": is_done,
        "error": problem,
    }
    return json.dumps(record) + "\n"
