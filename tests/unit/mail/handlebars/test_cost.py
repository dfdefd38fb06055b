"""What templates cost: in time against work of a fixed size, and in steps."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits, TemplateError
from tests.unit.mail.handlebars.samples import read_cases


ORDER = Path(__file__).with_name("order.hbs").read_text("utf-8")
PARTIALS = {
    "header": handlebars.compile(
        '<p><img src="{{brand.logo}}" alt="{{brand.name}}" width="120"></p>\n', name="header"
    ),
    "footer": handlebars.compile(
        "<p>{{brand.name}}, {{brand.address}}{{#each brand.links}}"
        ' &middot; <a href="{{url}}">{{label}}</a>{{/each}}</p>\n',
        name="footer",
    ),
}
#: An order of twenty lines.
DATA = next(case.context for case in read_cases("cases.json") if "{{order.total}}" in case.template)


def _cpu(work: Callable[[], object], number: int, rounds: int = 7) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(number):
            work()
        best = min(best, (time.process_time() - start) / number)
    return best


def _mail_of_the_standard_library() -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Shop <shop@example.com>", "jo@example.org"
    message["Subject"] = "Größe 42"
    message.set_content("A line of plain text, as long as lines often are in a mail.\n" * 14)
    message.add_alternative("<p>A paragraph of a page, with <b>bold</b> words.</p>\n" * 20)
    return message.as_bytes()


def test_cost_of_an_order_confirmation() -> None:
    """An order of twenty lines renders in half the time that EmailMessage takes for a small mail.

    That is 1.0 to 1.3 ms; the bound for us is 0.45 ms.
    """
    template = handlebars.compile(ORDER, name="order")
    assert len(DATA["order"]["items"]) == 20

    ours = _cpu(lambda: template.render(DATA, partials=PARTIALS, escape=True), 10)
    theirs = _cpu(_mail_of_the_standard_library, 10)

    assert ours < theirs / 2


def test_cost_of_reading_a_template() -> None:
    """Reading 5 KB of HTML takes less than three times what EmailMessage takes for a small mail."""
    ours = _cpu(lambda: handlebars.compile(ORDER, name="order"), 5)
    theirs = _cpu(_mail_of_the_standard_library, 10)

    assert ours < theirs * 3


TEMPLATES = {
    "fields": "{{name}} {{map.a}} {{{list}}} ",
    "loops": "{{#each list}}{{this}}{{#if @last}}{{@index}}{{/if}}{{/each}}",
    "sections": "{{#list}}{{.}}{{else}}x{{/list}}{{^none}}{{../list}}{{/none}}",
    "calls": "{{lookup map (lookup list 0)}}",
    "partials": "  {{> p}}\n{{> p list=name}}",
    "partial blocks": "{{#> layout}}{{name}}{{/layout}}",
    "inline partials": '{{#if yes}}{{#*inline "i"}}{{name}}{{/inline}}{{> i}}{{/if}}',
}


def _steps(source: str, length: int) -> int:
    context = {"yes": True, "name": "Ann", "list": ["a"] * length, "map": {"a": 1}, "none": []}
    partials = {
        "p": handlebars.compile("{{#each list}}{{this}}{{/each}}\n", name="p"),
        "layout": handlebars.compile("<{{> @partial-block}}>", name="layout"),
    }
    template = handlebars.compile(source, name="main")
    return template.measure(context, partials=partials, escape=True)[1]


@pytest.mark.parametrize("piece", TEMPLATES.values(), ids=TEMPLATES)
def test_steps_grow_with_the_template(piece: str) -> None:
    """A template of twice the length takes at most twice the steps."""
    assert _steps(piece * 100, 5) <= 2 * _steps(piece * 50, 5)


@pytest.mark.parametrize("piece", TEMPLATES.values(), ids=TEMPLATES)
def test_steps_grow_with_the_data(piece: str) -> None:
    """Lists of twice the length take at most twice the steps."""
    assert _steps(piece, 200) <= 2 * _steps(piece, 100)


def _calls(work: Callable[[], object]) -> int:
    """Count the calls of functions, those written in C included."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", TEMPLATES.values(), ids=TEMPLATES)
def test_reading_grows_with_the_template(piece: str) -> None:
    """Reading a template of twice the length takes at most twice the calls of functions."""

    def calls(length: int) -> int:
        source = piece * length
        return _calls(lambda: handlebars.compile(source, name="main"))

    assert calls(100) <= 2 * calls(50)


HOSTILE = {
    "openings": "{{",
    "closings": "}}",
    "backslashes": "\\",
    "escaped tags": "\\{{",
    "comments": "{{!",
    "long comments": "{{!--",
    "dashes": "{{!--" + "-" * 10,
    "raw blocks": "{{{{a}}}}",
    "ends of raw blocks": "{{{{a}}}}{{{{/",
    "strings": '{{"',
    "escaped quotes": '{{a "\\"',
    "brackets": "{{[",
    "escaped brackets": "{{a [\\]",
    "white space": "{{a}}" + " " * 20,
    "lines": "\n \t",
    "lines with tags": "\n {{! }} \n {{#if x}} \n {{/if}} \n",
    "blanks in tags": "{{   ",
    "else": "{{ else",
    "elses": "{{#if x}}{{else}}{{/if}}",
    "names": "{{aaaaaaaaaa",
    "paths": "{{a.b/c.",
    "numbers": "{{1",
    "bars": "{{#a as |",
    "tildes": "{{~a~}} ",
    "values": "{{#if a}}{{b c=d}}{{/if}}",
    "fields": "{{x}}",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_templates_cost_in_proportion(piece: str) -> None:
    """Twenty times the text never costs four hundred times the work."""

    def attempt(length: int) -> Callable[[], None]:
        source = piece * (length // len(piece))

        def work() -> None:
            try:
                template = handlebars.compile(source, name="main")
                template.render({"x": "y"}, partials={}, escape=True, limits=Limits())
            except TemplateError:
                pass

        return work

    small, large = (_cpu(attempt(length), 1, rounds=3) for length in (1_000, 20_000))

    assert large < 100 * small


@pytest.mark.parametrize(
    "source",
    [
        "{{#each ten}}{{../text.length}}{{/each}}",
        "{{#each ten}}{{lookup ../text 5}}{{/each}}",
        "{{#each ten}}{{lookup ../map ../list}}{{/each}}",
        "{{#each ten}}{{> p ../list x=1}}{{/each}}",
        "{{#each ten}}{{> p ../text x=1}}{{/each}}",
        "{{#each ten}}{{#each ../map}}{{/each}}{{/each}}",
        "{{#each ten}}{{> p ../map x=1}}{{/each}}",
    ],
)
def test_large_values_cost_steps(source: str) -> None:
    """What looks like one step and goes through a large value costs more than one."""
    partials = {"p": handlebars.compile("", name="p")}
    template = handlebars.compile(source, name="main")

    def steps(length: int) -> int:
        values = {
            "list": ["x"] * length,
            "text": "é" * length,
            "map": {str(number): 1 for number in range(length)},
        }
        context = {"ten": [0] * 10} | values
        return template.measure(context, partials=partials, escape=True)[1]

    assert steps(20_000) > 2 * steps(2_000)
