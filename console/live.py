"""What happens now, to every browser that looks: server-sent events.

mails   {mails: [lines], removed: [ids], more}   changed; `more`: others, too, look again
counts  {states, other, total}                   at most once a second, when something changed
hour    [minutes]                                every ten seconds
stream  {open}                                   whether changes are seen at all
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config.mongo import Document
from console import view
from console.figures import Figures
from console.stream import Stream, Taken
from tasks.operating.mails import PROJECTION, Mail


#: Browsers at once, and events that wait for one of them; then it is told to look again.
MOST_BROWSERS, _AHEAD = 100, 64
#: Seconds between two looks at what has changed, and between two signs of life.
_LOOK, _ALIVE = 0.25, 15.0
#: Seconds between two countings at least, and when nothing changes; between two looks at the hour.
#: Counting takes at most a fifth of the time.
_COUNT, _COUNT_IDLE, _HOUR, _SHARE = 1.0, 15.0, 10.0, 5
#: Seconds that the stream stays open after the last browser: a page is reloaded.
_LINGER = 30.0

_AGAIN = {"mails": [], "removed": [], "more": True}

_log = structlog.get_logger(__name__)

Event = tuple[str, str]


class Live:
    """Everybody who looks, and what they are told."""

    def __init__(self, mails: Collection[Document], figures: Figures) -> None:
        self._mails = mails
        self._figures = figures
        self._stream = Stream(mails)
        self._browsers: set[asyncio.Queue[Event]] = set()
        self._last: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._someone = asyncio.Event()
        self._closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_full(self) -> bool:
        """Whether no other browser may follow."""
        return len(self._browsers) >= MOST_BROWSERS

    def start(self) -> None:
        """Begin; nothing is asked of MongoDB until somebody looks."""
        self._stream.start()
        loops = (self._follow, self._count, self._read_hour)
        self._tasks = [asyncio.create_task(self._while_watched(each)) for each in loops]

    async def close(self) -> None:
        """End all."""
        self.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._stream.close)

    def end_all(self) -> None:
        """Let every browser go: a server that stops waits for its open answers."""
        self._closing.set()

    async def events(self, still: Callable[[], bool]) -> AsyncIterator[str]:
        """Give one browser its events, while `still` says so."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_AHEAD)
        for last in self._last.items():
            queue.put_nowait(last)
        self._browsers.add(queue)
        self._someone.set()
        closing = asyncio.create_task(self._closing.wait())
        try:
            yield "retry: 2000\n\n"
            while still() and not closing.done():
                getting = asyncio.create_task(queue.get())
                await asyncio.wait(
                    {getting, closing}, timeout=_ALIVE, return_when=asyncio.FIRST_COMPLETED
                )
                if getting.done():
                    name, data = getting.result()
                    yield f"event: {name}\ndata: {data}\n\n"
                else:
                    getting.cancel()
                    yield ":\n\n"
        finally:
            closing.cancel()
            self._browsers.discard(queue)

    def _tell(self, name: str, value: Any) -> None:
        data = json.dumps(value, separators=(",", ":"))
        if name != "mails":
            if self._last.get(name) == data:
                return
            self._last[name] = data
        for queue in self._browsers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                for last in self._last.items():
                    queue.put_nowait(last)
                queue.put_nowait(("mails", json.dumps(_AGAIN)))
            else:
                queue.put_nowait((name, data))

    async def _while_watched(self, step: Callable[[], Any]) -> None:
        """Repeat a step as long as anybody looks; what fails is said and tried again."""
        while True:
            await self._someone.wait()
            pause = _HOUR
            try:
                pause = await step()
            except PyMongoError as error:
                _log.warning("live.failed", error=str(error))
            await asyncio.sleep(pause)

    async def _follow(self) -> float:
        if not self._browsers:
            await self._rest()
        self._stream.want(wanted=True)
        self._tell("stream", {"open": self._stream.is_open})
        taken = self._stream.take()
        if taken:
            self._changed.set()
            try:
                lines = await asyncio.to_thread(self._lines, taken)
            except PyMongoError:
                self._tell("mails", _AGAIN)
                raise
            self._tell("mails", lines)
        return _LOOK

    async def _rest(self) -> None:
        """Stop following when nobody has come back for a while."""
        self._someone.clear()
        try:
            await asyncio.wait_for(self._someone.wait(), _LINGER)
        except TimeoutError:
            self._stream.want(wanted=False)
            self._last.clear()
            await self._someone.wait()
        self._changed.set()

    def _lines(self, taken: Taken) -> dict[str, Any]:
        found = list(self._mails.find({"_id": {"$in": taken.ids}}, PROJECTION))
        return {
            "mails": [view.line(Mail.of(each)) for each in found],
            "removed": taken.removed,
            "more": taken.more,
        }

    async def _count(self) -> float:
        started = time.monotonic()
        self._changed.clear()
        self._tell("counts", await asyncio.to_thread(self._figures.counts))
        await asyncio.sleep(max(_COUNT, (time.monotonic() - started) * _SHARE))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _COUNT_IDLE)
        return 0

    async def _read_hour(self) -> float:
        started = time.monotonic()
        self._tell("hour", await asyncio.to_thread(self._figures.hour))
        return max(_HOUR, (time.monotonic() - started) * _SHARE)
