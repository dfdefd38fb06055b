"""What a template may cost. Templates and data come from people whom nobody has vetted."""

from __future__ import annotations

from dataclasses import asdict, dataclass


#: Each level takes a few frames of Python's stack, which has 1,000 and is not all ours.
MAX_NESTING = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one compilation or one rendering; reaching one is a TemplateError naming it."""

    #: Characters of a template's text.
    template_size: int = 1_000_000
    #: Pieces of text, names, values and signs in a template: about four for each tag. Reading a
    #: template takes 25 µs of CPU time and 1 KB of memory for each tag.
    tokens: int = 250_000
    #: Blocks, partials and subexpressions inside one another; while rendering, those of the
    #: calling templates count, too. At most 120.
    nesting: int = 100
    #: Partials inside one another.
    partial_depth: int = 30
    #: Units of work: about one for each tag that is reached, and for each turn of a loop.
    steps: int = 1_000_000
    #: Characters of the result.
    output_size: int = 5_000_000
    #: CPU time of the rendering thread, looked at every few hundred steps.
    seconds: float = 2.0

    def __post_init__(self) -> None:
        for name, bound in asdict(self).items():
            if bound <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.nesting > MAX_NESTING:
            raise ValueError(f"nesting must be at most {MAX_NESTING}")


class Allowance:
    """What is left of the bounds for several renderings, such as those of one mail's fields.

    It belongs to one thread.
    """

    __slots__ = ("limits", "seconds", "size", "steps")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.steps = limits.steps
        #: Characters.
        self.size = limits.output_size
        #: CPU time.
        self.seconds = limits.seconds
