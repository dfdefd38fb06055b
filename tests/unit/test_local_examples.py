"""The mails of examples/, and the words around them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import procfile, report, showcase
from tasks.commands.templates import folder, shelf
from tasks.mail import Defaults, compose, wanted
from tasks.mail.gathered import Gathered
from tasks.mail.handlebars import Limits
from tasks.mail.templates import Library, render
from tasks.mail.templates.template import read
from tasks.operating import template_checks


LIBRARY = Library(
    [
        read({"_id": key.name, "partial": key.partial} | shelf.fields(files))
        for key, files in folder.read(showcase.EXAMPLES / "templates").items()
    ],
    Limits(),
)


def test_examples_are_documents() -> None:
    """Every example has recipients, a message or a template, and no `_id` or `delivery`."""
    examples = showcase.load()

    assert len(examples) >= 4
    for document in examples.values():
        assert document["to"]
        assert document["template"]["name"] if "template" in document else document["message"]
        assert not {"_id", "delivery"} & set(document)


def test_examples_show_what_there_is() -> None:
    """Among them: HTML with an inline image, attachments with several recipients and Bcc,
    a non-ASCII address, an invitation and a mailing list."""
    documents = [each for each in showcase.load().values() if "message" in each]

    cids = [a.get("cid") for d in documents for a in d["message"].get("attachments", [])]
    assert "banner" in cids
    assert any("bcc" in document for document in documents)
    assert any(not str(document["to"]).isascii() for document in documents)
    assert any("icalEvent" in document["message"] for document in documents)
    assert any("list" in document for document in documents)


@pytest.mark.parametrize("name", showcase.load())
def test_examples_can_be_composed(name: str) -> None:
    """Every example is right, as far as that can be told without sending it."""
    document = {"_id": 1, **showcase.load()[name]}
    use = wanted(document).template
    gathered = Gathered(rendered=render(use, LIBRARY) if use else None)

    mail = compose(document, Defaults("shop@example.com"), now=datetime.now(UTC), gathered=gathered)

    assert mail.recipients


def test_templates_have_no_errors() -> None:
    """The example templates are right, with their samples too, also when CSS is inlined."""
    found = {
        each.name: template_checks.faults_of(each, LIBRARY, inline_css=True)
        for each in LIBRARY
        if each.partial or each.sample
    }

    assert set(found) == {"welcome", "password-reset", "receipt", "layout", "button"}
    assert not any(found.values())


def test_templates_are_mailed() -> None:
    """Every example template is sent by an example mail."""
    used = {document.get("template", {}).get("name") for document in showcase.load().values()}

    assert set(LIBRARY.templates) <= used


def test_procfile_lines() -> None:
    """The Procfile is read as honcho reads it, the release line among the others."""
    lines = procfile.lines(Path("Procfile"))

    assert {"release", "watcher", "worker", "flower"} <= set(lines)


def test_terminal_control_is_taken_out() -> None:
    """A subject cannot move the cursor of whoever watches: documents are other people's."""
    assert report._clean("a\x1b[2Jb\x07\u202ec") == "a·[2Jb··c"
