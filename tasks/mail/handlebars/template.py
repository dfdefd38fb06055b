"""A template: compiled once, rendered as often as one likes, by as many threads as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.mail.handlebars import whitespace
from tasks.mail.handlebars.code import Code, render
from tasks.mail.handlebars.compiler import compile_program
from tasks.mail.handlebars.errors import Source, TemplateError
from tasks.mail.handlebars.inventory import take
from tasks.mail.handlebars.limits import Allowance, Limits
from tasks.mail.handlebars.parser import parse
from tasks.mail.handlebars.partials import Inline
from tasks.mail.handlebars.runtime import Data, Home, Run, Scope


_DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been read; it never changes."""

    name: str
    #: The partials it names, those that it brings along itself left out.
    partials: frozenset[str]
    #: Those of them without a block to be shown in their place.
    required: frozenset[str]
    #: Whether it computes the names of further partials: `{{> (lookup . "footer")}}`.
    computes_partials: bool
    #: The fields of the data that it names: `order.items[].name`.
    fields: frozenset[str]
    code: Code

    def render(
        self,
        context: object,
        *,
        partials: Mapping[str, Template],
        escape: bool,
        limits: Limits | Allowance = _DEFAULTS,
    ) -> str:
        """Give the template's text for this context.

        The context holds what JSON has: None, bool, int, float, str, list, dict. `partials` is
        asked for each partial when it is reached; it may compile it then. `escape` says whether
        `{{x}}` is escaped for HTML, in partials as well. An Allowance is used up by it.

        Raises TemplateError.
        """
        allowance = limits if isinstance(limits, Allowance) else Allowance(limits)
        run = Run(self.name, partials, allowance, escape=escape)
        pieces: list[str] = []
        try:
            run.check_nesting(self.code.height, run.fault)
            render(self.code, self.scope(run, context, Data(context), {}), pieces.append)
        except RecursionError as error:
            # Limits.nesting is far from Python's own bound, unless the caller is near it.
            raise run.fault("there is no room on the stack for it", "nesting") from error
        except TemplateError as error:
            raise error if error.template else run.fault(error.message, None) from error
        finally:
            run.end()
        return "".join(pieces)

    def measure(
        self,
        context: object,
        *,
        partials: Mapping[str, Template],
        escape: bool,
        limits: Limits = _DEFAULTS,
    ) -> tuple[str, int]:
        """Render; give the text and the steps it took."""
        left = Allowance(limits)
        text = self.render(context, partials=partials, escape=escape, limits=left)
        return text, limits.steps - left.steps

    def scope(self, run: Run, context: Any, data: Data, inlines: Mapping[str, Inline]) -> Scope:
        """Give the place where its tags stand when it is rendered as a partial."""
        return Scope(run, Home(inlines), data, context, None)


def compile(source: str, *, name: str, limits: Limits = _DEFAULTS) -> Template:
    """Read a template; `name` is what errors call it.

    Raises TemplateError.
    """
    origin = Source(name, source)
    if len(source) > limits.template_size:
        message = f"it has more than {limits.template_size} characters"
        raise TemplateError(message, name, bound="template_size")
    try:
        program = parse(origin, limits)
        found = take(program)
        whitespace.control(program)
        code = compile_program(program, origin)
    except RecursionError as error:
        message = "there is no room on the stack for it"
        raise TemplateError(message, name, bound="nesting") from error
    partials, fields = frozenset(found.partials), frozenset(found.fields)
    return Template(
        name, partials, frozenset(found.required), found.computes_partials, fields, code
    )
