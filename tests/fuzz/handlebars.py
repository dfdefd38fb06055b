"""Random templates against the engine: it may refuse them, but nothing else.

    python -m tests.fuzz.handlebars --seconds 60 --seed 1

What is found can be made again from the seed and number that are printed with it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random
from typing import Any

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits, TemplateError
from tests.unit.mail.handlebars.grammar import Sample, damaged, sample
from tests.unit.mail.handlebars.samples import Lazily


#: Pieces that are repeated: what could make a lexer, parser or pattern slow, or recursion deep.
HOSTILE = (
    *(
        "{{",
        "}}",
        "{",
        "\\",
        "\\{{",
        "{{!--",
        "{{!",
        "{{{{a}}}}",
        "{{{{/",
        '{{"',
        '{{"\\"',
        "{{[",
        "{{[\\]",
    ),
    *(
        "{{#if x}}",
        "{{else}}",
        "{{else if x}}",
        "{{/if}}",
        "{{#each list}}",
        "{{#each this}}",
        "{{> p1}}",
    ),
    *(
        "(lookup ",
        "{{lookup (",
        "../",
        "{{../",
        "a.",
        "a=",
        " ",
        "\n",
        "~",
        "{{~x~}}",
        "{{#> p1}}",
        "{{/p1}}",
    ),
    *(
        '{{#*inline "p1"}}',
        "{{/inline}}",
        "{{^}}",
        "as |x|",
        "\0",
        "\ud800",
        "😀",
        "{{x}}",
        "{{{x}}}",
    ),
    *(
        "{{#with this}}",
        "{{/with}}",
        "{{> @partial-block}}",
        "{{#> @partial-block}}",
        "1",
        "-",
        "@",
        "@root.",
    ),
)
#: Seconds of CPU time beyond the bound that a rendering was given, on a busy machine.
SLACK = 1.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    end = time.monotonic() + given.seconds
    outcomes: Counter[str] = Counter()
    number = 0
    while time.monotonic() < end:
        random = Random(f"{given.seed}/{number}")
        made = _sample(random)
        try:
            outcomes[_try(made, _limits(random))] += 1
        except BaseException:
            print(f"seed {given.seed}, number {number}: {made!r}", file=sys.stderr)
            raise
        number += 1
    print(f"seed {given.seed}: {number} templates")
    for outcome, count in outcomes.most_common():
        print(f"{count:9} {outcome}")
    return 0


def _sample(random: Random) -> Sample:
    made = sample(random)
    roll = random.random()
    if roll < 0.3:
        for _ in range(random.randrange(1, 8)):
            made.template = damaged(random, made.template)
    elif roll < 0.5:
        pieces = random.choices(HOSTILE, k=random.randrange(1, 5))
        made.template = "".join(piece * random.choice((1, 3, 40, 400, 4000)) for piece in pieces)
    elif roll < 0.6:
        made.template = "".join(random.choices(HOSTILE, k=random.randrange(60)))
    if random.random() < 0.3:
        made.context = _value(random, 4)
    return made


def _value(random: Random, depth: int) -> Any:
    """Make data of any kind."""
    roll = random.random()
    if depth and roll < 0.3:
        names = random.choices(("name", "list", "x", "map", "0", "1", "length", "", "items"), k=3)
        return {name: _value(random, depth - 1) for name in names}
    if depth and roll < 0.55:
        return [_value(random, depth - 1) for _ in range(random.choice((0, 1, 3, 30)))]
    numbers = (0, -0.0, 1, -1, 2**53, 2**63, 10**30, 1e300, float("nan"), float("-inf"), 0.1)
    strings = ("", "0", "1", " 1 ", "x", "[object Object]", "1,2", "😀" * 30, "<&>" * 40, "9" * 500)
    return random.choice((None, True, False, *numbers, *strings))


def _limits(random: Random) -> Limits:
    if random.random() < 0.6:
        return Limits(steps=100_000, output_size=1_000_000, seconds=1)
    return Limits(
        template_size=random.choice((10, 1000, 1_000_000)),
        tokens=random.choice((1, 30, 250_000)),
        nesting=random.choice((1, 5, 40, 120)),
        partial_depth=random.choice((1, 3, 30)),
        steps=random.choice((1, 50, 5000)),
        output_size=random.choice((1, 100, 10_000)),
        seconds=random.choice((0.001, 1)),
    )


def _try(made: Sample, limits: Limits) -> str:
    start = time.thread_time()
    try:
        template = handlebars.compile(made.template, name="main", limits=limits)
    except TemplateError as error:
        return f"not compiled: {error.bound or 'syntax'}"
    finally:
        _check(time.thread_time() - start < SLACK, "compiling takes too long")
    start = time.thread_time()
    try:
        partials = Lazily(made.partials)
        text = template.render(made.context, partials=partials, escape=made.escape, limits=limits)
    except TemplateError as error:
        return f"not rendered: {error.bound or 'error'}"
    finally:
        _check(time.thread_time() - start < limits.seconds + SLACK, "rendering takes too long")
    _check(len(text) <= limits.output_size, "the result is too long")
    return "rendered"


def _check(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


if __name__ == "__main__":
    sys.exit(main())
