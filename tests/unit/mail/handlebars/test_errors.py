"""Errors say where they are, and what was expected."""

from __future__ import annotations

import copy
import pickle

import pytest

from tasks.mail import handlebars
from tasks.mail.handlebars import TemplateError
from tests.unit.mail.handlebars.samples import DATA, rendered


SYNTAX = [
    ("Hi {{name", 1, 10, "a value, key=value or }}", "the end of the template"),
    ("a\nb {{name}", 2, 9, "a value, key=value or }}", '"}"'),
    ("{{}}", 1, 3, "a name", '"}}"'),
    ("{{name}}}", 1, 7, "a value, key=value or }}", '"}}}"'),
    ("{{{name}}", 1, 8, "a value, key=value or }}}", '"}}"'),
    ("{{#if x}}\n\n", 3, 1, "{{/if}} for the block opened in line 1", "the end of the template"),
    ("{{#if x}}{{else}}{{else}}{{/if}}", 1, 18, "{{/if}} for the block", '"{{else}}"'),
    ("{{/if}}", 1, 1, "text or a tag that needs no other before it", '"{{/"'),
    ("{{else}}", 1, 1, "text or a tag that needs no other before it", '"{{else}}"'),
    ("{{#each x as |}}", 1, 15, "a name", '"}}"'),
    ("{{#each x as |a", 1, 16, "a name or |", "the end of the template"),
    ("{{foo (bar}}", 1, 11, "a value, key=value or )", '"}}"'),
    ("{{foo a=}}", 1, 9, "a value", '"}}"'),
    ("{{a%}}", 1, 4, "a value, key=value or }}", '"%"'),
    ('{{a"b"}}', 1, 4, "a value, key=value or }}", '"""'),
    ("{{> }}", 1, 5, "a value", '"}}"'),
    ("{{@}}", 1, 4, "a name", '"}}"'),
    ("{{a.1}}", 1, 5, "a name", '"1"'),
]


@pytest.mark.parametrize(
    ("source", "line", "column", "expected", "found"),
    SYNTAX,
    ids=[case[0] for case in SYNTAX],
)
def test_syntax(source: str, line: int, column: int, expected: str, found: str) -> None:
    """A syntax error has the place, what was expected there and what was found."""
    with pytest.raises(TemplateError) as caught:
        handlebars.compile(source, name="welcome")
    error = caught.value
    assert (error.template, error.line, error.column) == ("welcome", line, column)
    assert error.expected is not None
    assert error.expected.startswith(expected)
    assert error.message == f"expected {error.expected}, found {found}"


MISTAKES = [
    ("{{! no end", 1, 1, "the comment has no end"),
    ("x\n{{!-- no end }}", 2, 1, "the comment has no end"),
    ("{{{{raw}}}} no end", 1, 8, "the raw block has no end"),
    ('{{name "no end}}', 1, 8, 'the " has no end'),
    ("{{[no end}}", 1, 3, "the [ has no end"),
    ("a\0b", 1, 2, "a NUL character has no place in a template"),
    ("{{#if x}}{{/unless}}", 1, 13, '"unless": the block to be closed here is "if"'),
    ("{{{{a}}}}{{{{/b}}}}", 1, 10, '"b": the raw block to be closed here is "a"'),
    ("{{a.this}}", 1, 5, "this may only stand at the start of a path"),
    ("{{> p a b}}", 1, 5, "a partial takes one context at most"),
    ("{{* x}}", 1, 1, 'the only decorator is the block {{#*inline "name"}}'),
]


@pytest.mark.parametrize(("source", "line", "column", "message"), MISTAKES)
def test_mistakes(source: str, line: int, column: int, message: str) -> None:
    """What is wrong in another way is said in so many words."""
    with pytest.raises(TemplateError) as caught:
        handlebars.compile(source, name="welcome")
    assert str(caught.value) == f'template "welcome", line {line}, column {column}: {message}'


WHILE_RENDERING = [
    ("{{#if}}{{/if}}", "if takes one value, not 0"),
    ("{{#each list map}}{{/each}}", "each takes one value, not 2"),
    ("{{if yes}}", "if needs a block: {{#if …}}…{{/if}}"),
    ("{{lookup map}}", "lookup takes two values: a list or map, and a key"),
    (
        "{{upper name}}",
        'there is no helper "upper"; there are if, unless, each, with, lookup, log',
    ),
    ("{{name x=1}}", '"name" is a field, no helper: it takes no parameters'),
    ("{{> foter}}", 'there is no partial "foter"; the closest name is "footer"'),
    ("{{> quite-different}}", 'there is no partial "quite-different"'),
    ("{{> (lookup map 'x')}}", 'there is no partial "undefined"'),
    ("{{#if yes as |x|}}{{x}}{{/if}}", 'nothing gives the block parameter "x" a value'),
]


@pytest.mark.parametrize(("source", "message"), WHILE_RENDERING)
def test_while_rendering(source: str, message: str) -> None:
    """A mistake that shows when its tag is reached has the tag's place, too."""
    with pytest.raises(TemplateError) as caught:
        rendered(f"x\n{source}", partials={"footer": ""})
    error = caught.value
    assert error.message == message
    assert error.line == 2
    assert error.template == "main"


@pytest.mark.parametrize(("source", "message"), WHILE_RENDERING)
def test_what_is_not_reached(source: str, message: str) -> None:
    """A mistake in a part that is not shown is none."""
    assert message
    assert rendered("{{#if no}}" + source + "{{/if}}", partials={"footer": ""}) == ""


def test_error_in_a_partial() -> None:
    """An error in a partial names the partial, and its place there."""
    with pytest.raises(TemplateError, match='template "p", line 2, column 4: there is no helper'):
        rendered("{{> p}}", partials={"p": "\n {{foo name}}"})


def test_a_broken_partial_harms_nobody_else() -> None:
    """A partial with a syntax error is an error of the template that shows it, and no other."""
    partials = {"broken": "{{#if", "right": "right"}
    assert rendered("{{> right}}{{#if no}}{{> broken}}{{/if}}", partials=partials) == "right"
    with pytest.raises(TemplateError, match='template "broken", line 1'):
        rendered("{{> broken}}", partials=partials)


def test_a_value_without_text() -> None:
    """A value that is not of JSON's types is an error, not Python's text for it."""
    with pytest.raises(TemplateError, match='template "main": a value of type bytes has no text'):
        rendered("{{x}}", {"x": b"x"})


def test_messages_stay_short() -> None:
    """A message is one line, and does not repeat a whole template."""
    with pytest.raises(TemplateError) as caught:
        rendered("{{> [" + "long\n" * 1000 + "]}}", DATA)
    assert len(str(caught.value)) < 150
    assert "\n" not in str(caught.value)


def test_errors_travel() -> None:
    """An error can be copied and pickled, as by a process pool."""
    with pytest.raises(TemplateError) as caught:
        handlebars.compile("{{#if", name="welcome")
    error = caught.value
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(twin) == str(error)
        assert (twin.line, twin.column, twin.expected) == (1, 6, error.expected)
