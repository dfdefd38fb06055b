"""What the tests of the template language share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits, Template


DATA: dict[str, Any] = {
    "name": "Ann & Bob",
    "zero": 0,
    "yes": True,
    "no": False,
    "nothing": None,
    "empty": "",
    "list": ["a", "b", "c"],
    "none": [],
    "map": {"b": 2, "a": 1},
    "deep": {"a": {"b": {"c": "bottom"}}},
    "items": [{"name": "Mug", "price": 9.5}, {"name": "Pen", "price": 1}],
}


@dataclass(frozen=True)
class Case:
    """A template and what upstream makes of it; `expected` is None where it finds an error."""

    category: str
    template: str
    context: Any
    partials: dict[str, str]
    escape: bool
    expected: str | None


def read_cases(name: str) -> list[Case]:
    """Read a file of cases."""
    whole = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return [
        Case(
            category=case["category"],
            template=case["template"],
            context=whole["contexts"][case["context"]],
            partials=whole["partials"][case["partials"]] if "partials" in case else {},
            escape=not case.get("noEscape"),
            expected=case.get("expected"),
        )
        for case in whole["cases"]
    ]


class Lazily(Mapping[str, Template]):
    """Partials that are compiled when they are asked for."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._compiled: dict[str, Template] = {}

    def __getitem__(self, name: str) -> Template:
        if name not in self._compiled:
            self._compiled[name] = handlebars.compile(self._sources[name], name=name)
        return self._compiled[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def rendered(
    source: str,
    context: object = DATA,
    *,
    partials: Mapping[str, str] | None = None,
    escape: bool = True,
    **limits: Any,
) -> str:
    bounds = Limits(**limits)
    template = handlebars.compile(source, name="main", limits=bounds)
    return template.render(context, partials=Lazily(partials or {}), escape=escape, limits=bounds)
