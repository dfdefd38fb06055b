"""What every endpoint needs: the mails, MongoDB's time, a thread to ask in, and errors in words."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from config.mongo import Document
from console.guard import problem
from tasks.clock import Now
from tasks.operating import ids
from tasks.operating.filters import BadFilter, Filter


#: Questions to MongoDB at once: a search may read a million documents.
_AT_ONCE = 8
#: Bytes of an id in an address.
_LONGEST_ID = 8_000
FILTERS = (
    "state", "recipient", "template", "since", "until", "text", "transport", "priority", "inDoubt",
)  # fmt: skip

_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asking:
    """The way of all endpoints to the mails."""

    mails: Collection[Document]
    now: Now
    limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_AT_ONCE))

    async def ask(self, question: Callable[..., T], *values: Any, **named: Any) -> T:
        """Ask MongoDB, in a thread."""
        call = functools.partial(question, *values, **named)
        return await to_thread.run_sync(call, limiter=self.limiter)

    async def filter(self, values: Mapping[str, Any]) -> Filter:
        """Read a filter from strings. Raises BadFilter."""
        texts = {name: text for name, text in values.items() if name in FILTERS}
        wrong = {name: "must be a text" for name, x in texts.items() if not isinstance(x, str)}
        if wrong:
            raise BadFilter(wrong)
        Filter.parse(texts, datetime.now(UTC))  # before any server is asked
        return Filter.parse(texts, await self.ask(self.now))


def id_of(text: str | None) -> Any:
    """Read an id from an address or a body."""
    if text is None or len(text) > _LONGEST_ID:
        raise HTTPException(400, "id is missing, or too long")
    return ids.read(text)


async def explain(_: Request, error: Exception) -> Response:
    """Say what went wrong, without what the driver quotes of documents and addresses."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail)
    if isinstance(error, BadFilter):
        return problem(400, str(error))
    if isinstance(error, PyMongoError):
        _log.warning("mongodb.failed", error=str(error))
        return problem(503, f"MongoDB does not answer as it should ({type(error).__name__})")
    return problem(500, "internal error; the console's log says more")
