"""Which mails are meant: read from strings, said as a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.mongo import Document
from tasks.delivery import wishes
from tasks.delivery.states import State
from tasks.delivery.wishes import CANCELLED, DRAFT
from tasks.lanes import Lane
from tasks.operating import times


#: The name of what has no state: the watcher has not seen it.
NEW = "NEW"
STATES = (NEW, *(state.value for state in State), CANCELLED, DRAFT)
#: The transport of mails that name none.
DEFAULT_TRANSPORT = "default"
#: Characters of a text that is looked for; a pattern costs by its length.
LONGEST = 200

#: Where an address may stand: what the service wrote, and what became of it.
_RECIPIENTS = (
    "to",
    "cc",
    "bcc",
    *(f"delivery.info.{x}" for x in ("accepted", "rejected", "pending")),
)


class BadFilter(ValueError):
    """`problems`: what is wrong and what is allowed, by the field's name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is given must hold.

    Times are of `delivery.startTime`: when the watcher first saw the mail.
    """

    #: Any of these; none: every state.
    states: tuple[str, ...] = ()
    #: Part of an address, in to, cc, bcc or the outcome; upper and lower case are the same.
    recipient: str | None = None
    #: The whole name.
    template: str | None = None
    since: datetime | None = None
    #: Before this time.
    until: datetime | None = None
    #: Part of the subject; upper and lower case are the same.
    text: str | None = None
    #: The whole name.
    transport: str | None = None
    priority: Lane | None = None
    #: True: only failed mails that somebody may have got all the same; False: all but those.
    in_doubt: bool | None = None

    @classmethod
    def parse(cls, values: Mapping[str, str | None], now: datetime) -> Filter:
        """Read the fields from strings; an empty one is not given. Raises BadFilter, with all.

        `state`: one or several with commas between. `since`, `until`: see `times.moment`; `now` is
        MongoDB's time.
        """
        given = {name: text for name, text in values.items() if text is not None and text.strip()}
        problems: dict[str, str] = {}
        read: dict[str, Any] = {}
        for name, text in given.items():
            reader = _READERS.get(name)
            if reader is None:
                problems[name] = f"is no filter: {', '.join(_READERS)}"
                continue
            try:
                read[_ATTRIBUTES.get(name, name)] = reader(text.strip(), now)
            except ValueError as error:
                problems[name] = str(error)
        if problems:
            raise BadFilter(problems)
        return cls(**read)

    @property
    def is_empty(self) -> bool:
        """Whether it means every mail."""
        return self == Filter()

    def conditions(self) -> list[Document]:
        """Make the queries of all but the states and the times."""
        query: list[Document] = []
        if self.recipient is not None:
            like = _contains(self.recipient)
            query.append({"$or": [{name: like} for name in _RECIPIENTS]})
        if self.text is not None:
            query.append({"message.subject": _contains(self.text)})
        if self.template is not None:
            query.append({"template.name": self.template})
        if self.transport is not None:
            query.append({"transport": _transport(self.transport)})
        if self.priority is not None:
            query.append({"priority": _priority(self.priority)})
        if self.in_doubt:
            query.append({"delivery.state": State.ERROR.value, **wishes.IN_DOUBT})
        elif self.in_doubt is False:
            query.append({"$or": [{"delivery.state": {"$ne": State.ERROR.value}}, wishes.CERTAIN]})
        return query

    def values_of_state(self) -> list[str | None]:
        """Give the states as they stand in documents."""
        return [None if state == NEW else state for state in self.states]

    def times(self) -> list[Document]:
        """Make the query of the times, none or one."""
        bounds = {"$gte": self.since, "$lt": self.until}
        given = {name: value for name, value in bounds.items() if value is not None}
        return [{"delivery.startTime": given}] if given else []


def _states(text: str, _now: datetime) -> tuple[str, ...]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in STATES]
    if unknown or not names:
        raise ValueError(f"{', '.join(unknown) or text!r} is no state: {', '.join(STATES)}")
    return tuple(dict.fromkeys(names))


def _priority_name(text: str, _now: datetime) -> Lane:
    try:
        return Lane(text.lower())
    except ValueError:
        raise ValueError(f"{text!r} is no priority: {', '.join(Lane)}") from None


def _text(text: str, _now: datetime) -> str:
    if len(text) > LONGEST or "\0" in text:
        raise ValueError(f"must be at most {LONGEST} characters, without NUL")
    return text


def _yes_or_no(text: str, _now: datetime) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in known:
        raise ValueError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def _contains(text: str) -> Document:
    return {"$regex": re.escape(text), "$options": "i"}


def _priority(lane: Lane) -> Any:
    """Whatever else stands there counts as normal: see `tasks.lanes`."""
    return {"$nin": [Lane.HIGH.value, Lane.LOW.value]} if lane is Lane.NORMAL else lane.value


def _transport(name: str) -> Any:
    """The default one is meant where none is named."""
    return {"$in": [None, name]} if name == DEFAULT_TRANSPORT else name


_READERS: dict[str, Callable[[str, datetime], Any]] = {
    "state": _states,
    "recipient": _text,
    "template": _text,
    "since": times.moment,
    "until": times.moment,
    "text": _text,
    "transport": _text,
    "priority": _priority_name,
    "inDoubt": _yes_or_no,
}
_ATTRIBUTES = {"state": "states", "inDoubt": "in_doubt"}
