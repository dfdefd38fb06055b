"""What a template can do wrong, and where in its text."""

from __future__ import annotations

from dataclasses import dataclass


#: Longer pieces of a template are cut in messages.
_MAX_QUOTED = 40


class TemplateError(Exception):
    """The template cannot be read or rendered; its text is one line, for the template's author."""

    def __init__(
        self,
        message: str,
        template: str = "",
        place: tuple[int, int] | None = None,
        expected: str | None = None,
        bound: str | None = None,
    ) -> None:
        super().__init__(message, template, place, expected, bound)
        #: What is wrong, without the place.
        self.message = message
        #: The name of the template or partial that is at fault; "" where none is.
        self.template = template
        #: Line and column, counted from 1, in characters; None where no single place is at fault.
        self.line: int | None
        self.column: int | None
        self.line, self.column = place or (None, None)
        #: What could have stood there, where the text is not Handlebars.
        self.expected = expected
        #: The field of Limits that was reached, if that is the reason.
        self.bound = bound

    def __str__(self) -> str:
        if not self.template:
            return self.message
        line = "" if self.line is None else f", line {self.line}, column {self.column}"
        return f"template {quote(self.template)}{line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """A template's text and its name, to say where an error is."""

    name: str
    text: str

    def error(self, position: int, message: str, *, bound: str | None = None) -> TemplateError:
        """Give an error that points at this character of the text."""
        return self._error(position, message, None, bound)

    def unexpected(self, position: int, found: str, expected: str) -> TemplateError:
        """Give a syntax error: another thing stands there than Handlebars wants."""
        return self._error(position, f"expected {expected}, found {found}", expected, None)

    def _error(
        self, position: int, message: str, expected: str | None, bound: str | None
    ) -> TemplateError:
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        return TemplateError(message, self.name, (line, column), expected, bound)


def quote(text: str) -> str:
    """Give a piece of a template for a message: in quotes, on one line, not too long."""
    cut = text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
    return '"' + "".join(c if c.isprintable() else " " for c in cut) + '"'
