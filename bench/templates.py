"""CPU time of templates, beside what they may take: `python -m bench.templates`.

The order confirmation of the tests (5 KB, 20 lines), the cases of the category `emails`, and a
whole mail, without and with INLINE_CSS.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import json_util

from tasks.commands.templates import folder, shelf
from tasks.mail import Defaults, compose, handlebars
from tasks.mail.gathered import Gathered
from tasks.mail.handlebars import Limits, Template
from tasks.mail.schema import TemplateUse
from tasks.mail.templates import Library, render
from tasks.mail.templates.template import read


ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests/unit/mail/handlebars/cases.json"
ORDER = ROOT / "tests/unit/mail/handlebars/order.hbs"
EXAMPLES = ROOT / "examples/templates"
DEFAULTS = Defaults("Shop <shop@example.com>", namespace="app.mail")
NOW = datetime(2024, 3, 5, 8, 30, tzinfo=UTC)

#: In µs: what the order confirmation may take.
RENDER, COMPILE = 450, 3_000


def microseconds(work: Callable[[], object], number: int, repeats: int = 7) -> float:
    """Give the CPU time of one run: the best of `repeats` rounds."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time_ns()
        for _ in range(number):
            work()
        best = min(best, (time.process_time_ns() - start) / number / 1000)
    return best


def _compiled(sources: Mapping[str, str]) -> dict[str, Template]:
    return {name: handlebars.compile(text, name=name) for name, text in sources.items()}


def _emails() -> list[tuple[dict[str, Any], Any, dict[str, Template]]]:
    whole = json_util.loads(CASES.read_text("utf-8"))
    found = [case for case in whole["cases"] if case["category"] == "emails"]
    return [
        (
            case,
            whole["contexts"][case["context"]],
            _compiled(whole["partials"][case["partials"]] if "partials" in case else {}),
        )
        for case in found
        if "expected" in case
    ]


def _order_data(emails: list[tuple[dict[str, Any], Any, dict[str, Template]]]) -> Any:
    return next(context for case, context, _ in emails if "{{order.total}}" in case["template"])


def _receipt() -> tuple[Library, TemplateUse]:
    documents = [
        {"_id": key.name, "partial": key.partial} | shelf.fields(files)
        for key, files in folder.read(EXAMPLES).items()
    ]
    library = Library([read(each) for each in documents], Limits())
    return library, TemplateUse(name="receipt", data=library.templates["receipt"].sample)


def main() -> None:
    emails = _emails()
    data = _order_data(emails)
    text = ORDER.read_text("utf-8")
    partials = _compiled({"header": "<p>{{brand.name}}</p>\n", "footer": "<p>{{brand.name}}</p>\n"})
    order = handlebars.compile(text, name="order")
    rendering = microseconds(lambda: order.render(data, partials=partials, escape=True), 100)
    compiling = microseconds(lambda: handlebars.compile(text, name="order"), 20)
    each = [
        microseconds(_rendering(case, context, theirs), 20, 3) for case, context, theirs in emails
    ]
    library, use = _receipt()
    document = {"_id": 1, "to": "jo@example.org", "template": {"name": use.name, "data": use.data}}

    def whole(defaults: Defaults) -> None:
        compose(document, defaults, now=NOW, gathered=Gathered(rendered=render(use, library)))

    rows = {
        f"render an order of 20 lines, 5 KB (at most {RENDER})": rendering,
        f"compile it (at most {COMPILE})": compiling,
        f"render one of {len(each)} emails, median": statistics.median(each),
        "render all fields of examples/templates/receipt": microseconds(
            lambda: render(use, library), 50
        ),
        "the whole mail of it": microseconds(lambda: whole(DEFAULTS), 50),
        "the same, INLINE_CSS": microseconds(lambda: whole(replace(DEFAULTS, inline_css=True)), 50),
    }
    for name, value in rows.items():
        print(f"{name:58} {value:8.0f} µs")
    sys.exit(rendering > RENDER or compiling > COMPILE)


def _rendering(
    case: dict[str, Any], context: Any, partials: dict[str, Template]
) -> Callable[[], object]:
    template = handlebars.compile(case["template"], name="email")
    escape = not case.get("noEscape")
    return lambda: template.render(context, partials=partials, escape=escape)


if __name__ == "__main__":
    main()
