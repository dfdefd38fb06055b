"""Every bound of Limits is reached, and named."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits, TemplateError
from tasks.mail.handlebars.limits import MAX_NESTING
from tests.unit.mail.handlebars.samples import rendered


def _bound(source: str, context: object = None, **given: Any) -> str | None:
    with pytest.raises(TemplateError) as caught:
        rendered(source, context, **given)
    return caught.value.bound


def _nested(levels: int, inside: str = "x") -> str:
    return "{{#if yes}}" * levels + inside + "{{/if}}" * levels


YES = {"yes": True, "list": list(range(100)), "text": "x" * 100}
LOOP = "{{#each list}}{{#each ../list}}{{#each ../list}}{{this}}{{/each}}{{/each}}{{/each}}"


def test_template_size() -> None:
    """A template may have so many characters, and not one more."""
    assert rendered("x" * 20, template_size=20) == "x" * 20
    assert _bound("x" * 21, template_size=20) == "template_size"


@pytest.mark.parametrize("source", ["{{x}}" * 5, "{{lookup" + " x" * 12 + "}}", "{{!}}" * 15])
def test_tokens(source: str) -> None:
    """A template may have so many parts, in many tags or in one."""
    handlebars.compile(source, name="main", limits=Limits(tokens=15))
    with pytest.raises(TemplateError) as caught:
        handlebars.compile(source, name="main", limits=Limits(tokens=14))
    assert caught.value.bound == "tokens"


NESTINGS: dict[str, Callable[[int], str]] = {
    "if": _nested,
    "each": lambda n: "{{#each yes}}" * n + "{{/each}}" * n,
    "section": lambda n: "{{#yes}}" * n + "{{/yes}}" * n,
    "inverted": lambda n: "{{^no}}" * n + "{{/no}}" * n,
    "chain": lambda n: "{{#if no}}" + "{{else if no}}" * (n - 1) + "{{/if}}",
    "subexpression": lambda n: "{{lookup " + "(lookup " * n + "yes 1" + ") 1" * n + " 1}}",
    "inline": lambda n: '{{#*inline "i"}}' * n + "{{/inline}}" * n,
    "partial block": lambda n: "{{#> p}}" * n + "{{/p}}" * n,
}


@pytest.mark.parametrize("template", NESTINGS.values(), ids=NESTINGS)
def test_nesting(template: Callable[[int], str]) -> None:
    """Blocks, chains and subexpressions may be so deep inside one another, and no deeper."""
    handlebars.compile(template(10), name="main", limits=Limits(nesting=10))
    with pytest.raises(TemplateError) as caught:
        handlebars.compile(template(11), name="main", limits=Limits(nesting=10))
    assert caught.value.bound == "nesting"
    assert caught.value.line == 1


def test_nesting_through_partials() -> None:
    """The levels of the calling templates count: they stand on the same stack."""
    partials = {"p": _nested(6)}
    assert rendered(_nested(3, "{{> p}}"), YES, partials=partials, nesting=10) == "x"
    assert _bound(_nested(4, "{{> p}}"), YES, partials=partials, nesting=10) == "nesting"


def test_nesting_of_a_rendering() -> None:
    """A rendering may have a lower bound than the compilation had."""
    template = handlebars.compile(_nested(9), name="main")
    assert template.render(YES, partials={}, escape=True, limits=Limits(nesting=9)) == "x"
    with pytest.raises(TemplateError) as caught:
        template.render(YES, partials={}, escape=True, limits=Limits(nesting=8))
    assert caught.value.bound == "nesting"


@pytest.mark.parametrize(
    "partials",
    [
        {"p": "{{> p}}"},
        {"p": "{{> q}}", "q": "{{> p}}"},
        {"p": "{{#> p}}{{/p}}"},
        {"p": "{{#> q}}{{> p}}{{/q}}", "q": "{{> @partial-block}}"},
        {"p": "{{#> q}}{{> p}}{{/q}}", "q": "{{#if @partial-block}}{{/if}}"},
        {"p": "{{#each list}}{{> p ..}}{{/each}}"},
    ],
)
def test_partial_depth(partials: dict[str, str]) -> None:
    """Partials that show one another without an end are stopped."""
    assert _bound("{{> p}}", YES, partials=partials, partial_depth=5) == "partial_depth"


def test_partials_as_deep_as_allowed() -> None:
    """So many partials may be inside one another."""
    tree = {"n": 1, "next": {"n": 2, "next": {"n": 3}}}
    partials = {"p": "{{n}}{{#if next}}{{> p next}}{{/if}}"}
    assert rendered("{{> p}}", tree, partials=partials, partial_depth=3) == "123"
    assert _bound("{{> p}}", tree, partials=partials, partial_depth=2) == "partial_depth"


@pytest.mark.parametrize(
    "source",
    [
        LOOP,
        "{{#each list}}{{#each @root.list}}{{#each @root.list}}{{/each}}{{/each}}{{/each}}",
        "{{#each list}}{{#each @root.list}}{{> nothing a=1}}{{/each}}{{/each}}",
        "{{#each list}}{{#each @root.list}}{{lookup (lookup @root 'list') 1}}{{/each}}{{/each}}",
    ],
)
def test_steps(source: str) -> None:
    """Loops inside loops end when they have cost so many steps."""
    assert _bound(source, YES, partials={"nothing": ""}, steps=20_000) == "steps"


def test_steps_are_counted_exactly() -> None:
    """What a rendering has cost is the least bound under which it ends."""
    template = handlebars.compile("{{#each list}}{{this}}{{/each}}", name="main")
    text, steps = template.measure(YES, partials={}, escape=True)
    limits = [Limits(steps=steps), Limits(steps=steps - 1)]
    assert template.render(YES, partials={}, escape=True, limits=limits[0]) == text
    with pytest.raises(TemplateError):
        template.render(YES, partials={}, escape=True, limits=limits[1])


@pytest.mark.parametrize(
    ("source", "partials"),
    [
        ("{{#each list}}{{@root.text}}{{/each}}", {}),
        ("{{#each list}}" + "x" * 100 + "{{/each}}", {}),
        ("{{#each list}}{{> p}}{{/each}}", {"p": "{{#with @root}}{{text}}{{/with}}"}),
        (" " * 100 + "{{> p}}", {"p": "\n" * 100}),
        ("{{#each list}}{{{@root.list}}}{{/each}}", {}),
        ("{{#each list}}{{@root.special}}{{/each}}", {}),
    ],
)
def test_output_size(source: str, partials: dict[str, str]) -> None:
    """The result may have so many characters, wherever they come from."""
    context = YES | {"special": "<&>" * 20}
    text = rendered(source, context, partials=partials)
    assert rendered(source, context, partials=partials, output_size=len(text)) == text
    too_small = len(text) - 1
    assert _bound(source, context, partials=partials, output_size=too_small) == "output_size"


def test_seconds() -> None:
    """A rendering may take so much CPU time."""
    bounds = {"steps": 10**12, "output_size": 10**12, "seconds": 0.01}
    assert _bound(LOOP, YES, **bounds) == "seconds"


def test_message_names_the_bound() -> None:
    """The error says which bound was reached, and how high it is."""
    with pytest.raises(
        TemplateError, match='template "main": rendering it takes more than 5 steps'
    ):
        rendered(LOOP, YES, steps=5)


@pytest.mark.parametrize("name", ["template_size", "tokens", "nesting", "steps"])
def test_bounds_are_positive(name: str) -> None:
    """A bound that lets nothing through is a mistake."""
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        Limits(**{name: 0})


def test_bound_of_nesting() -> None:
    """Nesting cannot be allowed beyond what Python's stack holds."""
    with pytest.raises(ValueError, match="at most 120"):
        Limits(nesting=MAX_NESTING + 1)


def _at_depth(frames: int, work: Callable[[], Any]) -> Any:
    return work() if frames == 0 else _at_depth(frames - 1, work)


@pytest.mark.parametrize("name", NESTINGS)
def test_deepest_templates_fit_the_stack(name: str) -> None:
    """The deepest templates are read and rendered in half of Python's stack."""
    # Showing a partial's block is another level.
    levels = MAX_NESTING // 2 if name == "partial block" else MAX_NESTING
    source = NESTINGS[name](levels)
    bounds: dict[str, Any] = {"nesting": MAX_NESTING, "partial_depth": MAX_NESTING}
    partials = {"p": "{{> @partial-block}}"}
    frames = sys.getrecursionlimit() // 2 - len(inspect.stack(0))

    _at_depth(frames, lambda: rendered(source, YES, partials=partials, **bounds))


@pytest.mark.parametrize("missing", range(5, 60, 3))
def test_caller_near_the_end_of_the_stack(missing: int) -> None:
    """Where the caller has left no room on the stack, that is a TemplateError, too."""
    source = _nested(MAX_NESTING)
    template = handlebars.compile(source, name="main", limits=Limits(nesting=MAX_NESTING))
    limits = Limits(nesting=MAX_NESTING)

    def deepest(frames: int) -> None:
        try:
            deepest(frames + 1)
        except RecursionError:
            depths.append(frames)

    depths: list[int] = []
    deepest(0)
    for work in (
        lambda: template.render(YES, partials={}, escape=True, limits=limits),
        lambda: handlebars.compile(source, name="main", limits=limits),
    ):
        with pytest.raises(TemplateError) as caught:
            _at_depth(max(depths) - missing - 10, work)
        assert caught.value.bound == "nesting"


def test_templates_do_not_change() -> None:
    """A template is frozen: many threads use it at once."""
    template = handlebars.compile("x", name="main")
    with pytest.raises(FrozenInstanceError):
        template.name = "other"  # type: ignore[misc]


def test_threads() -> None:
    """Many threads may render the same template at once, each with its own data."""
    template = handlebars.compile(
        '{{#*inline "i"}}{{n}}{{/inline}}{{#each list}}{{> i n=../n}}{{/each}}', name="main"
    )
    wrong: list[str] = []

    def work(number: int) -> None:
        for _ in range(50):
            context = {"n": number, "list": [1, 2, 3]}
            if (text := template.render(context, partials={}, escape=True)) != str(number) * 3:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
