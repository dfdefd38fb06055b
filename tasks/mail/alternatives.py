"""Alternatives in nodemailer's shape → other forms of the text."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.mail import bodies, headers
from tasks.mail.bodies import Text
from tasks.mail.gathered import Gathered
from tasks.mail.media_types import MediaType
from tasks.mail.part_reader import PartReader
from tasks.mail.parts import Leaf
from tasks.mail.problems import Problems
from tasks.mail.schema import Alternative


#: In which an alternative is a text like ours, and is written like it.
_CHARSETS = ("utf-8", "us-ascii")


def read(
    alternatives: Sequence[Alternative | None] | None, gathered: Gathered, problems: Problems
) -> list[Text | Leaf]:
    """Make the parts, in order; what is wrong with one goes into `problems`."""
    return [
        _Reader(alternative, ("message", "alternatives", index), gathered, problems).body(
            alternative
        )
        for index, alternative in enumerate(alternatives or ())
        if alternative is not None
    ]


class _Reader(PartReader):
    """Reads one alternative."""

    def body(self, alternative: Alternative) -> Text | Leaf:
        if alternative.raw is not None:
            return self.raw(alternative.raw)
        content = self.content()
        media_type = self.media_type(alternative, content, "text/plain")
        if name := self.name():
            media_type = media_type.with_parameter("name", name)
        own = self.own_headers()
        main, _, subtype = media_type.type.partition("/")
        if main == "text" and content.charset in _CHARSETS and _says_so(media_type):
            return Text(content.data.decode(), subtype, _parameters(media_type), tuple(own))
        type = headers.with_parameters("Content-Type", media_type.type, media_type.parameters)
        return Leaf(
            (type, "Content-Transfer-Encoding: base64", *own), bodies.base64_lines(content.data)
        )


def _says_so(media_type: MediaType) -> bool:
    return dict(media_type.parameters)["charset"].lower() in _CHARSETS


def _parameters(media_type: MediaType) -> str:
    """Write the parameters but for the charset, each on a line of its own."""
    pieces = [
        piece
        for name, value in media_type.parameters
        if name != "charset"
        for piece in headers.parameter(name, value)
    ]
    return "".join(f";\r\n {piece}" for piece in pieces)
