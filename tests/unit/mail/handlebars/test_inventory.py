"""What a template names: its fields and partials, for listing."""

from __future__ import annotations

import pytest

from tasks.mail import handlebars


FIELDS = [
    ("{{a}} {{{b.c}}} {{&d}}", "a b.c d"),
    ("{{this.a}} {{./b}} {{this}} {{../c}}", "a b"),
    ("{{#if a}}{{b}}{{else}}{{c}}{{/if}}", "a b c"),
    (
        "{{#each order.items}}{{name}} {{../currency}} {{@index}}{{/each}}",
        "currency order.items order.items[].name",
    ),
    (
        "{{#with a}}{{b}}{{#with c}}{{d}}{{../e}}{{../../f}}{{/with}}{{/with}}",
        "a a.b a.c a.c.d a.e f",
    ),
    ("{{#each a as |x i|}}{{x.b}}{{i}}{{y}}{{/each}}", "a a[].b a[].y"),
    ("{{#a}}{{b}}{{/a}}{{^c}}{{d}}{{/c}}", "a a.b c d"),
    ("{{#each a}}{{#each this}}{{b}}{{/each}}{{/each}}", "a a[] a[][].b"),
    ("{{@root.a.b}} {{@key}} {{#each x}}{{@root.c}}{{/each}}", "a.b c x"),
    ("{{lookup a 'b'}} {{lookup c d}} {{lookup (lookup e 'f') 'g'}}", "a.b c d e.f"),
    ("{{> p a b=c}} {{> (lookup d 'e')}}", "a c d.e"),
    ("{{#> p}}{{a}}{{/p}}{{#*inline 'i'}}{{b}}{{/inline}}", "a b"),
    ("{{[a+b].c}} {{items.0.x}} {{'q'}}", "[a+b].c items.[0].x q"),
    ("{{#each (lookup a 'b')}}{{c}}{{/each}}", "a.b a.b[].c"),
    ("no tags", ""),
]


@pytest.mark.parametrize(("source", "fields"), FIELDS, ids=[source for source, _ in FIELDS])
def test_fields(source: str, fields: str) -> None:
    """Fields are named from the whole data on, those of a list's items with []."""
    assert handlebars.compile(source, name="main").fields == set(fields.split())


def test_partials() -> None:
    """Partials are named, but for those that the template brings along itself."""
    template = handlebars.compile(
        "{{> header}}{{#> layout}}{{> [two words]}}{{/layout}}{{> 404}}{{> @partial-block}}"
        '{{#*inline "own"}}{{/inline}}{{> own}}',
        name="main",
    )
    assert template.partials == {"header", "layout", "two words", "404"}
    assert not template.computes_partials


def test_computed_partials() -> None:
    """A computed name is no name that can be listed; that there is one can."""
    template = handlebars.compile('{{> (lookup . "footer")}}', name="main")
    assert template.partials == set()
    assert template.computes_partials
