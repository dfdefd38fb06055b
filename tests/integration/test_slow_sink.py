"""bench.slow_sink: the server whose notes the bench balances its books with."""

from __future__ import annotations

import smtplib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports
from local.processes import Server


ROOT = Path(__file__).parents[2]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "recipients"


@pytest.fixture
def port(records: Path, tmp_path: Path) -> Iterator[int]:
    number = ports.free()
    server = Server(
        name="slow sink",
        command=[sys.executable, "-m", "bench.slow_sink", str(number), "1", str(records)],
        log=tmp_path / "sink.log",
        ready=lambda _pid: ports.accepts(number),
        directory=ROOT,
    )
    server.start()
    yield number
    server.kill()


def test_each_mail_taken_is_a_line(port: int, records: Path) -> None:
    """A mail sent twice is there twice, with all its recipients."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        for recipients in (["a@x.example"], ["b@x.example", "c@x.example"], ["a@x.example"]):
            client.sendmail("from@x.example", recipients, "Subject: x\r\n\r\ntext")

    lines = records.read_text().splitlines()

    assert lines == ["a@x.example", "b@x.example c@x.example", "a@x.example"]


def test_a_mail_without_its_last_byte_is_not_taken(port: int, records: Path) -> None:
    """What a killed client had not sent whole was never sent."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"MAIL FROM:<f@x>\r\nRCPT TO:<half@x.example>\r\nDATA\r\n")
        said = b""
        while b"354" not in said:
            said += client.recv(4096)
        client.sendall(b"Subject: x\r\n\r\nhalf of it\r\n")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("from@x.example", ["whole@x.example"], "Subject: x\r\n\r\ntext")

    assert records.read_text().splitlines() == ["whole@x.example"]
