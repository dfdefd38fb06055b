"""The inbox's mails as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.inbox.store import Envelope, Store


_ENVELOPE = Envelope("a@example.com", ("b@example.com",), smtputf8=True)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    """Beyond the limit the oldest mails go, from the disk as well."""
    store = Store(tmp_path, limit=3)
    ids = [store.add(b"Subject: %d\r\n\r\n" % number, _ENVELOPE).id for number in range(5)]

    assert [entry.id for entry in store.newest()] == ids[:1:-1]
    assert len(list(tmp_path.iterdir())) == 6


def test_limit_holds_for_mails_of_earlier_runs(tmp_path: Path) -> None:
    """A smaller limit applies to what is there already."""
    store = Store(tmp_path)
    for number in range(3):
        store.add(b"Subject: %d\r\n\r\n" % number, _ENVELOPE)

    assert [entry.subject for entry in Store(tmp_path, limit=1).newest()] == ["2"]


def test_envelope_is_read_back(tmp_path: Path) -> None:
    """What was written is what is read, envelope and all."""
    entry = Store(tmp_path).add(b"Subject: x\r\n\r\nText", _ENVELOPE)

    assert Store(tmp_path).get(entry.id) == entry


def test_damaged_envelope_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file cut short by a power failure is named in the log; the other mails are shown."""
    entry = Store(tmp_path).add(b"Subject: x\r\n\r\n", _ENVELOPE)
    (tmp_path / "0-damaged.json").write_text('{"id": "0-da')

    assert Store(tmp_path).newest() == [entry]
    assert "0-damaged.json" in caplog.text


def test_mail_that_cannot_be_written(tmp_path: Path) -> None:
    """A full or missing disk is an error of the sender's attempt, not a lost mail."""
    store = Store(tmp_path / "mails")
    (tmp_path / "mails").rmdir()

    with pytest.raises(OSError, match="No such file"):
        store.add(b"Subject: x\r\n\r\n", _ENVELOPE)
    assert store.newest() == []
