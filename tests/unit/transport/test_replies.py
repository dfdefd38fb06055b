"""Replies taken from received bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.transport.replies import MAX_LINE, MAX_LINES, BadReply, Reply, take


def _all(received: bytes) -> list[str]:
    buffer, found = bytearray(received), []
    while reply := take(buffer):
        found.append(str(reply))
    return found


def test_one_line() -> None:
    """A reply is its code and its text."""
    assert _all(b"250 2.0.0 Ok: queued as 4D1F2\r\n") == ["250 2.0.0 Ok: queued as 4D1F2"]


def test_several_lines() -> None:
    """The lines of one reply are joined by a space, without repeating the code."""
    assert _all(b"550-5.1.1 No such user.\r\n550 See https://x.example\r\n") == [
        "550 5.1.1 No such user. See https://x.example"
    ]


@pytest.mark.parametrize("line", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_without_text(line: bytes) -> None:
    """A bare code is a reply: RFC 5321 4.2 tells clients to accept it."""
    assert _all(line) == ["250"]


def test_pipelined() -> None:
    """Several replies received at once are taken one by one."""
    assert _all(b"250 a\r\n550 b\r\n354 c\r\n") == ["250 a", "550 b", "354 c"]


@given(st.integers(min_value=0, max_value=22))
def test_in_pieces(cut: int) -> None:
    """A reply that is not whole stays where it is until the rest has come."""
    whole = b"250-one\r\n250 two\r\n"
    buffer = bytearray(whole[:cut])

    early = take(buffer)
    buffer += whole[cut:]
    reply = early or take(buffer)

    assert str(reply) == "250 one two"
    assert not buffer


@pytest.mark.parametrize(
    "line",
    [
        b"hello\r\n",
        b"\r\n",
        b"25 x\r\n",
        b"2500 x\r\n",
        b"150 x\r\n",  # 1yz is not used by SMTP
        b"600 x\r\n",
        b"250x\r\n",
        b" 250 x\r\n",
        b"+25 x\r\n",
        b"2\xc2\xb20 x\r\n",
        b"\x16\x03\x01\x00\r\n",
    ],
)
def test_not_smtp(line: bytes) -> None:
    """What does not begin with a code from 200 to 599 is no reply."""
    with pytest.raises(BadReply, match="not SMTP"):
        take(bytearray(line))


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_endless_line(end: bytes) -> None:
    """A line that is too long ends the conversation, whether it ends or not."""
    with pytest.raises(BadReply, match="more than 2048 bytes"):
        take(bytearray(b"250 " + b"x" * MAX_LINE + end))


def test_endless_reply() -> None:
    """A reply of too many lines ends the conversation."""
    with pytest.raises(BadReply, match="more than 64 lines"):
        take(bytearray(b"250-x\r\n" * MAX_LINES))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zustellung unmöglich".encode(), "550 Zustellung unmöglich"),
        ("unmöglich".encode("latin-1"), "550 unm\ufffdglich"),
        (b"\x1b[31mred\x00", "550 \ufffd[31mred\ufffd"),
    ],
)
def test_text(text: bytes, shown: str) -> None:
    """Text is UTF-8; what is not, and control characters, are replaced."""
    assert str(Reply(550, (text,))) == shown


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (220, "positive"),
        (250, "positive"),
        (299, "positive"),
        (421, "later"),
        (450, "later"),
        (500, "never"),
        (599, "never"),
        (334, None),
        (354, None),
    ],
)
def test_first_digit(code: int, kind: str | None) -> None:
    """The first digit decides: 2 done, 4 not now, 5 never."""
    reply = Reply(code)

    kinds = [name for name in ("positive", "later", "never") if getattr(reply, name)]

    assert kinds == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("said", "enhanced"),
    [
        ("550 5.1.1 No such user", "5.1.1"),
        ("550 5.1.10", "5.1.10"),
        ("450 4.7.650 Rate limited", "4.7.650"),
        ("550  5.1.1 No such user", "5.1.1"),
        ("550 #5.1.0 Address rejected", None),
        ("550 No such user", None),
        ("550", None),
        ("550 5.1 No such user", None),
        ("550 5.1.1.1 No such user", None),
        ("550 5.1.1111 No such user", None),
        ("550 192.0.2.1 is blocked", None),
        ("450 5.1.1 No such user", None),
        ("550 4.7.1 Later", None),
    ],
)
def test_enhanced(said: str, enhanced: str | None) -> None:
    """The status code begins the text (RFC 2034); one of another class counts for nothing."""
    assert Reply(int(said[:3]), (said[4:].encode(),)).enhanced == enhanced
