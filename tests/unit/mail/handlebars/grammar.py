"""Random templates: most are right, some are not; each comes with partials and data."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any


CONTEXTS: list[Any] = [
    {
        "title": "Order <42>",
        "name": "O'Neil & Co",
        "first": "",
        "zero": 0,
        "one": 1,
        "half": 0.5,
        "large": 1e21,
        "yes": True,
        "no": False,
        "nothing": None,
        "unicode": "Zoë 😀 `=`",
        "list": ["a", "b", 3],
        "numbers": [0, 1, -2.5, 3],
        "none": [],
        "mixed": [1, "two", None, True, False, "", {"name": "in"}, [2, [3, None]], []],
        "nested": [[1], ["1", 1], [[2]], [], [None]],
        "map": {"b": 2, "10": "ten", "a": {"name": "deep"}, "2": None, "c d": [1]},
        "bare": {},
        "items": [
            {"name": "Mug & Co", "qty": 2, "list": ["red", "big"], "yes": True},
            {"name": "Pen", "qty": 0, "list": [], "map": {"k": 1}},
            {"title": "own", "qty": None, "items": [{"name": "x"}]},
        ],
        "key": "name",
        "index": 1,
        "partial": "p1",
        "this": "field",
        "if": "field named if",
        "length": 7,
        "a-b": "dash",
        "12": "twelve",
        "true": "T",
    },
    None,
    "text",
    5,
    ["x", ["y"], {"name": "z"}],
    {},
]

NAMES = (
    *("title", "name", "first", "zero", "one", "half", "large", "yes", "no", "nothing", "unicode"),
    *("list", "numbers", "none", "mixed", "nested", "map", "bare", "items", "key", "index"),
    *("missing", "qty", "a-b", "x", "i", "length"),
)
PATHS = (
    *("this", ".", "..", "../..", "./name", "this.name", "../name", "../../title", "../this"),
    *("items.[0].name", "items.0.name", "list.length", "map.[c d]", "map.a.name", "map.[10]"),
    *("unicode.length", "list.[1]", "title.[0]", "items.1.list", "nested.[2]", "[a-b]", "[this]"),
    *("missing.x.y", "zero.x", "../items.length", "this/name", "@root", "@root.title", "@index"),
    *("@key", "@first", "@last", "@../index", "@../../key", "@root.items.[0].name", "@missing"),
    *("@index.x", "@root.zero.x", "x.name", "i.name", "@x", "12", "true", "if"),
    *('"title"', "'name'", "nothing.x", "xthis", "./if", "../x", "this.length"),
)
LITERALS = (
    *('"str"', "'it'", '"<&>"', '""', "0", "1", "-1", "1.50", "true", "false"),
    *("null", "undefined", '"a\\"b"', "12345678901234567890", '"0"', '"name"'),
)
TEXTS = (
    *(" ", "\n", "  \n", "\n\n", "\n  ", "\t", "a", "text ", "<td>", "x: ", "  \r\n", "{ ", " }"),
    *("\\ ", "b\n", " c", "\n \n", "é", "\u00a0", "=", "\u2028", "\ufeff\n"),
)
RARE = (
    *(
        "\\{{name}}",
        "\\\\{{name}}",
        "\\\\\\{{name}}",
        "\\{{{name}}} ",
        "{{{{raw}}}} {{x}} {{{{/raw}}}}",
    ),
    *("{{{{yes}}}}\n{{x}}\n{{{{/yes}}}}", "{{log name}}", "{ {name} }", "{{lookup zero}}"),
    *("{{{{yes}}}} {{{{a}}}} {{{{/a}}}} {{{{/yes}}}}", "{{foo a=1}}", "\\{{a}}\\{{b}}\\\\{{name}}"),
    *("{{log}}", "{{#if (missing)}}a{{else}}b{{/if}}", "{{lookup missing 1 2}}", "\\{{"),
)
FAULTY = (
    *("{{lookup items 0 name}}", "{{#with}}{{/with}}", "{{foo name}}", "{{lookup}}", "{{if}}"),
    *(
        "{{name a=1}}",
        "{{> p1 a b}}",
        "{{> nowhere}}",
        "{{else}}",
        "{{/if}}",
        "{{#if x}}",
        "{{name}}}",
    ),
    *("{{a.1}}", "{{@}}", "{{> (lookup . .)}}", "{{lookup (foo 1) 2}}"),
)
PARTIALS = ("p1", "p2", "p3", "layout", "tree", "p/4")


@dataclass
class Sample:
    template: str
    context: Any
    partials: dict[str, str] = field(default_factory=dict)
    escape: bool = True


def sample(random: Random, *, faulty: bool = True) -> Sample:
    """Make one; `faulty`: now and then a character is out of place."""
    faulty = faulty and random.random() < 0.25
    names = random.sample(PARTIALS, random.randrange(1, 5))
    writer = _Writer(random, names, faulty=faulty)
    # The first may use those after it, the last none: without faults there is no endless round.
    partials = {}
    for number, name in enumerate(names):
        inner = _Writer(random, names if faulty else names[number + 1 :], faulty=faulty)
        partials[name] = inner.program(random.randrange(3))
    template = writer.program(random.randrange(1, 5))
    if faulty and random.random() < 0.3:
        template = damaged(random, template)
    context = random.choice(CONTEXTS) if random.random() < 0.1 else CONTEXTS[0]
    return Sample(template, context, partials, escape=random.random() < 0.7)


def damaged(random: Random, template: str) -> str:
    """Take out, double or insert a piece."""
    start = random.randrange(len(template) + 1)
    end = min(len(template), start + random.randrange(4))
    piece = random.choice(
        ("", "", template[start:end] * 2, "{{", "}}", "~", "\\", "|", "(", ".", '"', "[")
    )
    return template[:start] + piece + template[end:]


class _Writer:
    def __init__(self, random: Random, partials: list[str], *, faulty: bool) -> None:
        self._random = random
        self._partials = partials
        self._faulty = faulty

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def program(self, depth: int) -> str:
        count = self._random.choice((0, 1, 1, 2, 2, 3, 4))
        return "".join(self._statement(depth) for _ in range(count + (depth > 0)))

    def _statement(self, depth: int) -> str:
        roll = self._random.random()
        if depth > 0 and roll < 0.45:
            return self._random.choice(
                (
                    self._block,
                    self._block,
                    self._block,
                    self._inverted,
                    self._partial_block,
                    self._inline,
                )
            )(depth)
        if roll < 0.65:
            return self._text()
        return self._random.choice(
            (
                self._mustache,
                self._mustache,
                self._mustache,
                self._partial,
                self._comment,
                self._rare,
            )
        )()

    def _text(self) -> str:
        return "".join(self._random.choice(TEXTS) for _ in range(self._random.randrange(1, 4)))

    def _tilde(self) -> str:
        return "~" if self._chance(0.12) else ""

    def _tag(self, start: str, inside: str, end: str = "}}") -> str:
        space = " " if self._chance(0.1) and not start.endswith(("#", "^", ">", "/")) else ""
        return "{{" + self._tilde() + start + space + inside + space + self._tilde() + end

    def _path(self) -> str:
        return self._random.choice(NAMES if self._chance(0.6) else PATHS)

    def _expression(self, depth: int = 2) -> str:
        roll = self._random.random()
        if depth and roll < 0.12:
            return f"({self._call(depth - 1)})"
        return self._random.choice(LITERALS) if roll < 0.25 else self._path()

    def _call(self, depth: int) -> str:
        if not self._faulty or self._chance(0.7):
            return f"lookup {self._expression(depth)} {self._expression(depth)}"
        name = self._random.choice(("lookup", "log", "if", "missing", "zero", "name", "x", "foo"))
        params = [self._expression(depth) for _ in range(self._random.choice((0, 0, 1, 1, 2, 3)))]
        return " ".join((name, *params, *self._hash(0.2)))

    def _hash(self, probability: float) -> list[str]:
        if not self._chance(probability):
            return []
        keys = self._random.sample(
            ("v", "name", "title", "x", "[a b]", "list"), self._random.choice((1, 1, 2))
        )
        return [f"{key}={self._expression(1)}" for key in keys]

    def _mustache(self) -> str:
        inside = self._call(2) if self._chance(0.15) else self._path()
        kind = self._random.random()
        if kind < 0.12:
            return "{{" + self._tilde() + "{" + inside + "}" + self._tilde() + "}}"
        return self._tag("&" if kind < 0.2 else "", inside)

    def _comment(self) -> str:
        if self._chance(0.5):
            return self._tag("!", self._random.choice((" c ", "c", "-", "", " {{x ")))
        inside = self._random.choice((" }} ", "", " x ", "-"))
        return "{{" + self._tilde() + "!--" + inside + "--" + self._tilde() + "}}"

    def _rare(self) -> str:
        return self._random.choice(RARE + FAULTY if self._faulty else RARE)

    def _names(self, probability: float) -> str:
        if not self._chance(probability):
            return ""
        return self._random.choice(
            (" as |x|", " as |x i|", " as |name|", " as |i x|", " as |index|")
        )

    def _head(self) -> tuple[str, str]:
        roll = self._random.random()
        if roll < 0.25:
            zero = " includeZero=true" if self._chance(0.1) else ""
            return self._random.choice(("if", "if", "unless")), f" {self._expression()}{zero}"
        if roll < 0.5:
            return "each", f" {self._expression()}{self._names(0.3)}"
        if roll < 0.65:
            return "with", f" {self._expression()}{self._names(0.3)}"
        if roll < 0.68 and self._faulty:
            return self._random.choice(("lookup", "log", "foo", "if", "each")), " name one"
        if roll < 0.68:
            return self._random.choice((("lookup", " list one"), ("log", " name")))
        name = self._random.choice(NAMES if self._chance(0.7) else PATHS)
        return name, self._names(0.03)

    def _block(self, depth: int) -> str:
        name, rest = self._head()
        parts = [self._tag("#", name + rest), self.program(depth - 1)]
        while self._chance(0.12):
            inner = " ".join(self._head()).replace("  ", " ")
            parts += [self._tag("else ", inner), self.program(depth - 1)]
        if self._chance(0.35):
            parts += [self._tag(self._random.choice(("else", "^")), ""), self.program(depth - 1)]
        return "".join(parts) + self._tag("/", name)

    def _inverted(self, depth: int) -> str:
        name, rest = self._head()
        other = self._tag("^", "") + self.program(depth - 1) if self._chance(0.3) else ""
        return self._tag("^", name + rest) + self.program(depth - 1) + other + self._tag("/", name)

    def _partial_head(self) -> tuple[str, str]:
        name = self._random.choice([*self._partials, "inl"])
        if self._chance(0.1):
            name = "@partial-block"
        context = f" {self._expression(1)}" if self._chance(0.25) else ""
        return name, " ".join((context, *self._hash(0.25)))

    def _partial(self) -> str:
        if not self._partials:
            return self._mustache()
        name, rest = self._partial_head()
        if name in ("inl", "@partial-block") and not self._faulty:
            # With a block of its own it is no fault that there is none.
            return self._partial_block(1)
        if self._chance(0.1) and "p1" in self._partials:
            name = '(lookup @root "partial")'
        space = self._random.choice(("", "\n", "\n  ", " "))
        return space + self._tag(">", f" {name}{rest}") + self._random.choice(("", "\n", " "))

    def _partial_block(self, depth: int) -> str:
        name, rest = self._partial_head()
        return self._tag("#>", f" {name}{rest}") + self.program(depth - 1) + self._tag("/", name)

    def _inline(self, depth: int) -> str:
        name = self._random.choice(("inl", "p1", "inl"))
        return (
            self._tag("#*", f'inline "{name}"') + self.program(depth - 1) + self._tag("/", "inline")
        )
