"""The mails of examples/, and the words around them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import procfile, report, showcase
from tasks.mail import Defaults, compose


def test_examples_are_documents() -> None:
    """Every example has recipients and a message, and says nothing of `_id` or `delivery`."""
    examples = showcase.load()

    assert len(examples) >= 4
    for document in examples.values():
        assert document["to"]
        assert document["message"]["subject"]
        assert not {"_id", "delivery"} & set(document)


def test_examples_show_what_there_is() -> None:
    """Among them: HTML with an inline image, attachments with several recipients and Bcc,
    a non-ASCII address, an invitation and a mailing list."""
    documents = showcase.load().values()

    cids = [a.get("cid") for d in documents for a in d["message"].get("attachments", [])]
    assert "banner" in cids
    assert any("bcc" in document for document in documents)
    assert any(not str(document["to"]).isascii() for document in documents)
    assert any("icalEvent" in document["message"] for document in documents)
    assert any("list" in document for document in documents)


@pytest.mark.parametrize("name", showcase.load())
def test_examples_can_be_composed(name: str) -> None:
    """Every example is right, as far as that can be told without sending it."""
    document = showcase.load()[name]

    mail = compose({"_id": 1, **document}, Defaults("shop@example.com"), now=datetime.now(UTC))

    assert mail.recipients


def test_procfile_lines() -> None:
    """The Procfile is read as honcho reads it, the release line among the others."""
    lines = procfile.lines(Path("Procfile"))

    assert {"release", "watcher", "worker", "flower"} <= set(lines)


def test_terminal_control_is_taken_out() -> None:
    """A subject cannot move the cursor of whoever watches: documents are other people's."""
    assert report._clean("a\x1b[2Jb\x07\u202ec") == "a·[2Jb··c"
