"""The mails of examples/, and the words around them."""

from __future__ import annotations

from pathlib import Path

from local import procfile, report, showcase


def test_examples_are_documents() -> None:
    """Every example has recipients and a message, and says nothing of `_id` or `delivery`."""
    examples = showcase.load()

    assert len(examples) >= 4
    for document in examples.values():
        assert document["to"]
        assert document["message"]["subject"]
        assert not {"_id", "delivery"} & set(document)


def test_examples_show_what_there_is() -> None:
    """Among them: HTML with an inline image, attachments with several recipients and Bcc, and
    a non-ASCII address."""
    documents = showcase.load().values()

    cids = [a.get("cid") for d in documents for a in d["message"].get("attachments", [])]
    assert "banner" in cids
    assert any("bcc" in document for document in documents)
    assert any(not str(document["to"]).isascii() for document in documents)


def test_procfile_lines() -> None:
    """The Procfile is read as honcho reads it, the release line among the others."""
    lines = procfile.lines(Path("Procfile"))

    assert {"release", "watcher", "worker", "flower"} <= set(lines)


def test_terminal_control_is_taken_out() -> None:
    """A subject cannot move the cursor of whoever watches: documents are other people's."""
    assert report._clean("a\x1b[2Jb\x07\u202ec") == "a·[2Jb··c"
