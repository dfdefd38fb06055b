"""What holds for every template and every value."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.mail.handlebars import TemplateError
from tests.unit.mail.handlebars.grammar import sample
from tests.unit.mail.handlebars.samples import DATA, rendered


#: What templates are made of, so that random text comes near to one.
PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{{{",
            "}}}",
            "{{{{",
            "}}}}",
            "{{#if x}}",
            "{{else}}",
            "{{/if}}",
            "{{> p}}",
            "~",
        ),
        *(
            "{{!--",
            "--}}",
            "\\",
            '"',
            "'",
            "[",
            "]",
            "(",
            ")",
            "|",
            "as |",
            "..",
            "/",
            "@",
            "=",
            "lookup",
        ),
        *("name", "this", "0", "-1.5", " ", "\n", "x", "{{#each list}}", "{{/each}}", "\0"),
    ]
)
TEMPLATES = st.lists(PIECES | st.text(max_size=3), max_size=25).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


#: The ampersand last, so that the others are not made of it.
ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#x27;",
    "`": "&#x60;",
    "=": "&#x3D;",
    "&": "&amp;",
}


@given(TEMPLATES, JSON)
def test_only_template_errors(template: str, context: object) -> None:
    """Whatever the template and the data are: there is a result or a TemplateError."""
    with suppress(TemplateError):
        rendered(template, context, partials={"p": template})


@given(st.integers(min_value=0))
@settings(max_examples=300)
def test_only_template_errors_in_templates_that_make_sense(seed: int) -> None:
    """The same for templates by the rules of the language, with faults here and there."""
    made = sample(Random(seed))
    with suppress(TemplateError):
        rendered(made.template, made.context, partials=made.partials, escape=made.escape)


@given(st.text())
def test_escaping_loses_nothing(text: str) -> None:
    """A value that is escaped has nothing in it that means something in HTML, and is all there."""
    shown = rendered("{{x}}", {"x": text})
    assert not set(shown) & set("<>\"'`=")
    for character, entity in ENTITIES.items():
        shown = shown.replace(entity, character)
    assert shown == text


@given(st.text())
def test_unescaped_values_stay_as_they_are(text: str) -> None:
    """A value that is not escaped goes into the result as it is, in each of the three ways."""
    assert rendered("{{{x}}}{{&x}}", {"x": text}) == text * 2
    assert rendered("{{x}}", {"x": text}, escape=False) == text


@given(st.text(alphabet=st.characters(exclude_characters="{\0\\")))
def test_text_stays_as_it_is(text: str) -> None:
    """Text without tags is its own result."""
    assert rendered(text, DATA) == text


@given(st.lists(st.text() | st.integers(min_value=-(2**63), max_value=2**63 - 1)))
def test_each_shows_every_item_once(items: list[object]) -> None:
    """A loop shows all items, in order, and knows which is the last one."""
    shown = rendered(
        "{{#each this}}{{{this}}}{{#unless @last}}|{{/unless}}{{else}}none{{/each}}", items
    )
    assert shown == ("|".join(map(str, items)) if items else "none")
