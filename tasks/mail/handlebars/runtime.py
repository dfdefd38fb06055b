"""What a rendering knows while it runs.

Run       one rendering: its bounds, what is left of them
  Home    one template or partial being rendered: the inline partials it sees
    Scope   where a tag stands: the context, the contexts around it, @data, block parameters
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from tasks.mail.handlebars.comparing import equal
from tasks.mail.handlebars.errors import TemplateError
from tasks.mail.handlebars.limits import Allowance


if TYPE_CHECKING:
    from tasks.mail.handlebars.partials import Inline, PartialBlock
    from tasks.mail.handlebars.template import Template


#: A context and those around it, the innermost first.
Contexts: TypeAlias = "tuple[Any, Contexts] | None"
#: The values of block parameters, and those of the blocks around.
Parameters: TypeAlias = "tuple[tuple[Any, ...], Parameters] | None"

Write: TypeAlias = Callable[[str], object]
#: Writes what a statement gives.
Node: TypeAlias = Callable[["Scope", Write], None]
#: Gives the value of an expression.
Value: TypeAlias = Callable[["Scope"], Any]
#: Gives an error at a tag: its message, and the bound that was reached, if one was.
Fault: TypeAlias = Callable[[str, str | None], TemplateError]

#: `this` of a block inside which there is none; upstream shows it as a map, too.
NO_CONTEXT: dict[str, Any] = {}

#: After so many steps the clock is looked at.
_GRANT = 500


class Run:
    """One rendering. Counts steps and characters down, so that a tag costs one comparison each."""

    __slots__ = (
        "_allowance",
        "_deadline",
        "_limits",
        "_name",
        "_reserve",
        "escape",
        "level",
        "partial_level",
        "partials",
        "size",
        "steps",
    )

    def __init__(
        self, name: str, partials: Mapping[str, Template], allowance: Allowance, *, escape: bool
    ) -> None:
        self._name = name
        self._allowance = allowance
        self._limits = allowance.limits
        self._deadline = time.thread_time() + allowance.seconds
        self._reserve = allowance.steps
        self.partials = partials
        self.escape = escape
        #: Steps until the clock is looked at; whoever takes it below zero calls `refill`.
        self.steps = 0
        #: Characters that may still be written; whoever takes it below zero calls `overflow`.
        self.size = allowance.size
        #: Levels of nesting around the template, partial or partial block being rendered.
        self.level = 0
        self.partial_level = 0

    def end(self) -> None:
        """Leave to the next rendering what this one has not used."""
        self._allowance.steps = self._reserve + self.steps
        self._allowance.size = self.size
        self._allowance.seconds = self._deadline - time.thread_time()

    def charge(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            self.refill()

    def refill(self) -> None:
        if self._reserve + self.steps < 0:
            raise self._exceeded("steps", f"takes more than {self._limits.steps} steps")
        if time.thread_time() > self._deadline:
            message = f"takes more than {self._limits.seconds} seconds of CPU time"
            raise self._exceeded("seconds", message)
        grant = min(_GRANT - self.steps, self._reserve)
        self._reserve -= grant
        self.steps += grant

    def overflow(self) -> None:
        message = f"gives more than {self._limits.output_size} characters"
        raise self._exceeded("output_size", message)

    def fault(self, message: str, bound: str | None) -> TemplateError:
        """Give an error that is at no tag in particular."""
        return TemplateError(message, self._name, bound=bound)

    def _exceeded(self, bound: str, message: str) -> TemplateError:
        return self.fault(f"rendering it {message}", bound)

    def enter(self, levels: int, height: int, fault: Fault) -> None:
        """Go into a partial, `levels` deeper, that has `height` levels of its own."""
        self.partial_level += 1
        if self.partial_level > self._limits.partial_depth:
            message = f"more than {self._limits.partial_depth} partials inside one another"
            raise fault(message, "partial_depth")
        self.level += levels
        self.check_nesting(height, fault)

    def check_nesting(self, height: int, fault: Fault) -> None:
        """Make sure that there is room for so many further levels."""
        if self.level + height > self._limits.nesting:
            message = f"more than {self._limits.nesting} levels of blocks and partials in all"
            raise fault(message, "nesting")

    def leave(self, levels: int) -> None:
        self.partial_level -= 1
        self.level -= levels


class Data:
    """The @variables. Each loop and each partial with a block has its own, with those around it."""

    __slots__ = ("block", "first", "index", "key", "last", "parent", "root")

    def __init__(self, root: Any) -> None:
        self.root = root
        self.key: Any = None
        self.index: Any = None
        self.first: Any = None
        self.last: Any = None
        self.block: PartialBlock | None = None
        self.parent: Data | None = None

    def child(self) -> Data:
        data = Data(self.root)
        data.key, data.index = self.key, self.index
        data.first, data.last = self.first, self.last
        data.block = self.block
        data.parent = self
        return data


class Home:
    """One template or partial being rendered."""

    __slots__ = ("inlines",)

    def __init__(self, inlines: Mapping[str, Inline]) -> None:
        #: The inline partials that can be used here, by name.
        self.inlines = inlines


class Scope:
    """Where a tag stands. `outer`: the contexts where the innermost block with a context begins."""

    __slots__ = ("context", "contexts", "data", "home", "outer", "parameters", "run")

    def __init__(self, run: Run, home: Home, data: Data, context: Any, outer: Contexts) -> None:
        self.run = run
        self.home = home
        self.data = data
        self.context = context
        self.outer = outer
        self.contexts = around(outer, context)
        self.parameters: Parameters = None

    def move(self, context: Any) -> None:
        """Go on to the next item of a loop."""
        self.context = context
        self.contexts = around(self.outer, context)

    def child(self, context: Any) -> Scope:
        child = Scope(self.run, self.home, self.data, context, self.contexts)
        child.parameters = self.parameters
        return child


def around(outer: Contexts, context: Any) -> Contexts:
    """Put a context before those around it; `..` has no level where it does not change."""
    if outer is None:
        return (context, None)
    last = outer[0]
    if last is context or (last is None and context is NO_CONTEXT) or equal(last, context):
        return outer
    return (context, outer)
