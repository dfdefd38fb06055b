"""A template and a mail's data → the mail."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from tests.unit.mail.samples import read_back
from tests.unit.mail.templates.samples import compose_by, faults, library


GREETING = {
    "_id": "t",
    "subject": "Hi {{name}}",
    "text": "Hello {{name}}",
    "html": "<p>{{name}}</p>",
    "amp": "<b>{{name}}</b>",
}


def parts(content: bytes) -> dict[str, str]:
    """Give the texts by type."""
    return {
        part.get_content_type(): part.get_content().strip()
        for part in read_back(content).walk()
        if part.get_content_maintype() == "text" and not part.is_attachment()
    }


def files(content: bytes) -> list[tuple[str | None, Any]]:
    return [
        (part.get_filename(), part.get_content())
        for part in read_back(content).iter_attachments()
        if isinstance(part, EmailMessage)
    ]


def test_four_fields() -> None:
    """Subject and text are not escaped, HTML and AMP are."""
    content = compose_by(library(GREETING), data={"name": "Ann & <Bob>"}).content

    assert read_back(content)["Subject"] == "Hi Ann & <Bob>"
    assert parts(content) == {
        "text/plain": "Hello Ann & <Bob>",
        "text/html": "<p>Ann &amp; &lt;Bob&gt;</p>",
        "text/x-amp-html": "<b>Ann &amp; &lt;Bob&gt;</b>",
    }


def test_message_keeps_what_the_template_does_not_have() -> None:
    """A field of the template comes before the message's; null and "" are no fields."""
    shelf = library({"_id": "t", "subject": None, "text": "", "html": "<i>{{x}}</i>"})
    message = {"subject": "Own", "text": "own", "html": "<b>own</b>"}

    content = compose_by(shelf, data={"x": 1}, message=message).content

    assert read_back(content)["Subject"] == "Own"
    assert parts(content) == {"text/plain": "own", "text/html": "<i>1</i>"}


def test_what_neither_has() -> None:
    """A mail whose template and message have no subject is no mail."""
    assert faults(library({"_id": "t", "text": "x"})) == ["message.subject is missing"]


def test_without_data() -> None:
    """A template needs no data."""
    assert read_back(compose_by(library(GREETING)).content)["Subject"] == "Hi "


@pytest.mark.parametrize(
    ("text", "name", "subject"),
    [
        ("{{name}}\n", "Ann", "Ann"),
        ("Hi\r\n{{name}}", "Ann", "Hi Ann"),
        ("Hi {{name}}!", "Ann\r\nBcc: eve@example.com", "Hi Ann Bcc: eve@example.com!"),
        ("{{#if name}}\nHi\n{{/if}}\n", "Ann", "Hi"),
    ],
)
def test_subject_is_one_line(text: str, name: str, subject: str) -> None:
    """Line breaks of a file or of data become a space; no header can come of them."""
    headers = read_back(
        compose_by(library(GREETING | {"subject": text}), data={"name": name}).content
    )

    assert headers["Subject"] == subject
    assert headers["Bcc"] is None


def test_partials_of_each_field() -> None:
    """A partial has a text for each field, and takes the escaping of the template."""
    shelf = library(
        GREETING | {"text": "{{> sign}}", "html": "{{> sign}}"},
        {
            "_id": 1,
            "name": "sign",
            "partial": True,
            "text": "-- {{name}}",
            "html": "<i>{{name}}</i>",
        },
    )

    content = compose_by(shelf, data={"name": "A&B"}).content

    assert parts(content)["text/plain"] == "-- A&B"
    assert parts(content)["text/html"] == "<i>A&amp;B</i>"


def test_attachments_take_the_place_of_the_messages() -> None:
    """Each field is rendered for itself: a quote or line break breaks nothing, URLs stay whole."""
    given = {
        "filename": "{{name}}.txt",
        "content": "{{{body}}}|{{url}}",
        "contentType": "text/plain",
    }
    message = {"attachments": [{"filename": "own.txt", "content": "own"}]}
    data = {"name": 'a"b', "body": 'x"\n{"y": 1}', "url": "https://x.org/?a=1&b='2'"}

    content = compose_by(
        library(GREETING | {"attachments": [given, None]}), data=data, message=message
    ).content

    assert files(content) == [('a"b.txt', 'x"\n{"y": 1}|https://x.org/?a=1&b=\'2\'')]


def test_attachments_of_the_message_stay() -> None:
    """Where the template has none, the message's are attached; an empty list removes them."""
    message = {"attachments": [{"filename": "own.txt", "content": "own"}]}

    assert files(compose_by(library(GREETING), message=message).content) == [("own.txt", "own")]
    assert files(compose_by(library(GREETING | {"attachments": []}), message=message).content) == []


@pytest.mark.parametrize(
    ("attachment", "fault"),
    [
        (
            {"filename": "{{x}}", "content": "a"},
            "attachments.0.filename must not contain a line break (CR or LF) or NUL",
        ),
        ({"filename": 5}, "attachments.0.filename must be a string or false, not a number"),
        (
            {"headers": {"X-A": "{{x}}"}, "content": "a"},
            "attachments.0.headers.X-A must not contain a line break (CR or LF) or NUL",
        ),
        (
            {"content": "\n{{#if}}{{/if}}"},
            "attachments.0.content, line 2, column 4: if takes one value, not 0",
        ),
    ],
)
def test_wrong_attachments(attachment: dict[str, Any], fault: str) -> None:
    """What is wrong with an attachment is said with the template and the field."""
    shelf = library(GREETING | {"attachments": [attachment]})

    assert faults(shelf, data={"x": "a\r\nb"}) == [f'template "t", {fault}']


def test_errors_say_where() -> None:
    """An error names the template, the field, line and column; all fields' come at once."""
    shelf = library(
        GREETING | {"html": "<p>\n  {{#if x}}", "text": "a\n{{> sign}}", "subject": "{{> sing}}"},
        {"_id": "sign", "partial": True, "text": "x\n{{/if}}", "subject": "x"},
    )

    subject, text, html = faults(shelf)

    assert subject == (
        'template "t", subject, line 1, column 5: there is no partial "sing";'
        ' the closest name is "sign"'
    )
    assert text.startswith('template "t", text: partial "sign", line 2, column 1: expected ')
    assert html.startswith('template "t", html, line 2, column ')


def test_a_broken_template_hurts_no_other() -> None:
    """Syntax errors, wrong kinds and broken partials concern the mails that use them."""
    shelf = library(
        GREETING,
        {"_id": "broken", "subject": "{{#if}", "text": 5, "partial": "yes", "attachments": {}},
        {"_id": "sign", "partial": True, "html": "{{{"},
    )

    assert read_back(compose_by(shelf, data={"name": "Ann"}).content)["Subject"] == "Hi Ann"
    assert faults(shelf, "broken") == [
        'template "broken", partial must be true or false, not a string',
        'template "broken", attachments must be a list, not a map',
        'template "broken", text must be a string, not a number',
    ]


def test_missing() -> None:
    """A missing template is named, with the name that comes closest."""
    shelf = library(GREETING | {"name": "Welcome"}, {"_id": "sign", "partial": True, "text": "x"})

    assert faults(shelf, "wellcome") == [
        'template "wellcome" is not in TEMPLATES_COLLECTION; the closest name is "Welcome"'
    ]
    assert faults(shelf, "t") == ['template "t" is not in TEMPLATES_COLLECTION']
    assert faults(shelf, "sign") == ['template "sign" is a partial, for other templates to use']


@pytest.mark.parametrize("name", [None, ""])
def test_no_name(name: str | None) -> None:
    """A template without a name is said to have none, whether there are templates or not."""
    assert faults(library(GREETING), name) == ["template has no name"]
    assert faults(None, name) == ["template has no name"]


def test_no_collection() -> None:
    """Without TEMPLATES_COLLECTION a template is an error, beside whatever else is wrong."""
    assert faults(None, to=None) == [
        "template needs the setting TEMPLATES_COLLECTION",
        "to, cc, bcc: no recipient",
    ]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("welcome", "template must be a map, not a string"),
        ({"name": 5}, "template.name must be a string, not a number"),
        ({"name": "t", "data": []}, "template.data must be a map, not a list"),
    ],
)
def test_wrong_kinds(template: Any, problem: str) -> None:
    """Wrong kinds are named by their path."""
    assert faults(library(GREETING), template=template) == [problem]


def test_data_without_text() -> None:
    """Binary data is refused by its path."""
    assert faults(library(GREETING), data={"photo": b"x"}) == [
        'template "t": template.data.photo is binary, which has no text'
    ]


def test_two_of_one_name() -> None:
    """Of templates with one name that whose `_id` it is counts, else the first, in any order."""
    named: list[dict[str, Any]] = [{**GREETING, "_id": id, "name": "t"} for id in (1, 2)]

    for order in (named, named[::-1]):
        shelf = library(*order)
        assert shelf.templates["t"].id == 1
        assert [(a.id, b.id) for a, b in shelf.hidden] == [(2, 1)]
    assert library(*named, GREETING).templates["t"].id == "t"


LOOP = "{{#each list}}{{#each ../list}}{{this}}{{/each}}{{/each}}"
NESTED = "{{#if x}}" * 4 + "{{/if}}" * 4
PARTIAL = {"_id": "p", "partial": True, "text": "{{#if list}}{{> p}}{{/if}}"}


@pytest.mark.parametrize(
    ("bound", "given", "text"),
    [
        ("template_size", 10, "x" * 11),
        ("tokens", 5, "{{x}}" * 5),
        ("nesting", 3, NESTED),
        ("partial_depth", 3, "{{> p}}"),
        ("steps", 200, LOOP),
        ("output_size", 50, LOOP),
        ("seconds", 1e-9, LOOP * 20),
    ],
)
def test_bounds(bound: str, given: float, text: str) -> None:
    """Every bound is reached, and named as the setting that has it."""
    shelf = library({"_id": "t", "subject": "x", "text": text}, PARTIAL, **{bound: given})

    [fault] = faults(shelf, data={"list": list(range(20))})

    assert fault.startswith(('template "t", text', 'template "t", subject: rendering it takes'))
    assert fault.endswith(f"(TEMPLATE_{bound.upper().removeprefix('TEMPLATE_')})")


@pytest.mark.parametrize(("bound", "given"), [("steps", 1000), ("output_size", 1000)])
def test_bounds_are_for_the_whole_mail(bound: str, given: int) -> None:
    """What one field may take, all fields together may take no more than once."""
    data = {"list": list(range(20))}
    one = {"_id": "t", "subject": "x", "text": LOOP}
    many = one | {"html": LOOP, "attachments": [{"content": LOOP}] * 3}

    assert compose_by(library(one, **{bound: given}), data=data).content
    [fault] = faults(library(many, **{bound: given}), data=data)
    assert fault.startswith('template "t", html: rendering it ')


def test_compiled_once() -> None:
    """A text is compiled for the first mail; its error is a new exception for each."""
    shelf = library(GREETING, {"_id": "b", "text": "{{", "subject": "x"})
    for _ in range(2):
        compose_by(shelf)
        faults(shelf, "b")
    template = shelf.templates["t"]

    once = template.compiled("html", template.texts["html"], shelf.limits)
    assert template.compiled("html", template.texts["html"], shelf.limits) is once
