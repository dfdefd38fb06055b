"""A calendar event → the form of the text that calendars read, and the same as a file.

RFC 6047 asks for text/calendar with the method as a parameter. Programs that do not look into
alternatives find the file; nodemailer sends both, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.mail.attachments import file_part
from tasks.mail.bodies import Text, crlf
from tasks.mail.gathered import Gathered
from tasks.mail.media_types import MediaType
from tasks.mail.part_reader import PartReader
from tasks.mail.parts import FileFacts, Leaf
from tasks.mail.problems import Problems
from tasks.mail.schema import CalendarEvent


#: RFC 5546 section 1.4.
_METHODS = (
    *("PUBLISH", "REQUEST", "REPLY", "ADD"),
    *("CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"),
)
_FIRST_LINE = re.compile(r"BEGIN:VCALENDAR\r\n", re.IGNORECASE)
_METHOD = re.compile(r"^METHOD:([A-Za-z]+)[ \t]*$", re.MULTILINE | re.IGNORECASE)
#: What may stand before the first line: white space, a byte order mark.
_BEFORE = "\ufeff \t\r\n"


@dataclass(frozen=True, slots=True)
class Event:
    """`file` is left out by `filename: false`."""

    body: Text
    file: Leaf | None


def read(event: CalendarEvent | None, gathered: Gathered, problems: Problems) -> Event | None:
    """Make the parts; what is wrong with the event goes into `problems`."""
    if event is None:
        return None
    return _Reader(event, ("message", "icalEvent"), gathered, problems).event(event)


class _Reader(PartReader):
    """Reads the event."""

    def event(self, event: CalendarEvent) -> Event:
        text = self._text()
        own = tuple(self.own_headers())
        body = Text(text, "calendar", f"; method={self._method(event, text)}", own)
        if event.filename is False:
            return Event(body, None)
        type = "application/ics"
        facts = FileFacts(self.name() or "invite.ics", type)
        file = file_part(MediaType(type), text.encode(), facts)
        return Event(body, file)

    def _text(self) -> str:
        before = len(self._problems)
        content = self.content()
        try:
            text = crlf(content.data.decode().lstrip(_BEFORE))
        except UnicodeDecodeError:
            self.note("must be in UTF-8", content.field)
            return ""
        if len(self._problems) == before and not _FIRST_LINE.match(text):
            self.note("must begin with a line BEGIN:VCALENDAR", content.field)
        return text

    def _method(self, event: CalendarEvent, text: str) -> str:
        """Take the field's word, else the content's own, else PUBLISH."""
        if event.method:
            method = event.method.strip().upper()
            if method not in _METHODS:
                self.note(f"must be one of {', '.join(_METHODS)}", "method")
            return method
        match = _METHOD.search(text.replace("\r\n", "\n"))
        return match[1].upper() if match else "PUBLISH"
