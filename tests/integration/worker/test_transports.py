"""Several transports: the document chooses, and one stands in for another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.application import Application
from tests.support.sink import Script, Sink


@pytest.fixture
def news() -> Iterator[Sink]:
    """A second SMTP server."""
    with Sink() as running:
        yield running


def _start(application: Application, news: Sink, **variables: str) -> None:
    settings = {
        "SMTP_CONNECTION_URI_NEWS": news.uri,
        "DEFAULT_FROM_NEWS": "News <news@example.com>",
        "CIRCUIT_SECONDS": "1",
        **variables,
    }
    application.watcher(**settings)
    application.worker(**settings)


def test_document_chooses(application: Application, sink: Sink, news: Sink) -> None:
    """`transport` names the server; its DEFAULT_FROM is the sender; without it, the default one."""
    _start(application, news)

    ids = [
        *application.insert_numbered([1]),
        *application.insert_numbered([2], transport="news"),
        *application.insert_numbered([3], transport=" News "),
        *application.insert_numbered([4], transport="default", **{"from": "own@example.com"}),
        *application.insert_numbered([5], transport=None),
    ]
    for id in ids:
        application.wait_for(id, "SUCCESS")

    assert sorted(_numbers(sink)) == [1, 4, 5]
    assert sorted(_numbers(news)) == [2, 3]
    assert {message.sender for message in news.messages} == {"news@example.com"}
    assert b"From: News <news@example.com>" in news.messages[0].content
    assert {message.sender for message in sink.messages} == {
        "sender@example.com",
        "own@example.com",
    }


def test_unknown_name(application: Application, sink: Sink, news: Sink) -> None:
    """A name that is none is an error which gives the names there are; nothing is sent."""
    _start(application, news)

    [id] = application.insert(transport="newsletter")

    delivery = application.wait_for(id, "ERROR")
    assert delivery["error"] == 'transport must be one of default, news, not "newsletter"'
    assert sink.messages == news.messages == []


def test_mixed_backlog(application: Application, sink: Sink, news: Sink) -> None:
    """Mails for several servers in one batch: each gets its own, once."""
    application.insert_numbered(range(0, 60, 2))
    application.insert_numbered(range(1, 60, 2), transport="news")
    _start(application, news)

    application.wait_for_all("SUCCESS", 60)

    assert sorted(_numbers(sink)) == list(range(0, 60, 2))
    assert sorted(_numbers(news)) == list(range(1, 60, 2))


def test_fallback(application: Application, sink: Sink, news: Sink) -> None:
    """A server that cannot be reached: another one gets its mails, from its own sender."""
    sink.script = Script(connect="refuse")
    _start(application, news, TRANSPORT_FALLBACK="news")

    application.insert(20)
    application.wait_for_all("SUCCESS", 20)

    assert sorted(_numbers(news)) == list(range(20))
    assert {message.sender for message in news.messages} == {"news@example.com"}


def test_back_again(application: Application, sink: Sink, news: Sink) -> None:
    """Once the server is back, its mails are its own again."""
    sink.script = Script(connect="refuse")
    _start(application, news, TRANSPORT_FALLBACK="news")
    application.insert(6)
    application.wait_for_all("SUCCESS", 6)
    assert len(news.messages) == 6

    sink.script = Script()
    number = 100
    while not sink.messages:
        [id] = application.insert_numbered([number])
        application.wait_for(id, "SUCCESS")
        number += 1

    assert len(sink.messages) + len(news.messages) == 6 + number - 100


def test_fallback_is_away_too(application: Application, sink: Sink, news: Sink) -> None:
    """When nobody can be reached the mail fails, with the words of the last one tried."""
    sink.script = news.script = Script(connect="refuse")
    _start(application, news, TRANSPORT_FALLBACK="news")

    [id] = application.insert()
    delivery = application.wait_for(id, "ERROR")

    assert delivery["error"].startswith(f"127.0.0.1:{news.port} cannot be reached")


@pytest.mark.parametrize("answer", ["drop", "451 4.3.0 later", "550 5.7.1 no"])
def test_never_after_data(application: Application, sink: Sink, news: Sink, answer: str) -> None:
    """A server that had the mail is the only one that gets it, whatever it says."""
    sink.script = Script(after_data=answer)
    _start(application, news, TRANSPORT_FALLBACK="news")

    ids = application.insert(3)
    for id in ids:
        application.wait_for(id, "ERROR")

    assert news.messages == []


def test_refused_recipient_stays(application: Application, sink: Sink, news: Sink) -> None:
    """A refused mail is no reason to ask somebody else."""
    sink.script = Script(rcpt="550 5.1.1 no such user")
    _start(application, news, TRANSPORT_FALLBACK="news")

    [id] = application.insert()
    application.wait_for(id, "ERROR")

    assert news.counts["connect"] == 0


def test_suppressed_stay_out(application: Application, sink: Sink, news: Sink) -> None:
    """Who was left out of the mail is left out of it on the other way, too."""
    sink.script = Script(connect="refuse")
    application.mails.database["suppressions"].insert_one({"_id": "ada@example.com"})
    _start(application, news, TRANSPORT_FALLBACK="news", SUPPRESSIONS_COLLECTION="suppressions")

    [id] = application.insert(to=["ada@example.com", "grace@example.com"])
    delivery = application.wait_for(id, "SUCCESS")

    assert news.messages[0].recipients == ("grace@example.com",)
    assert delivery["info"]["rejected"] == ["ada@example.com"]


def test_one_away_holds_up_nobody_else(application: Application, sink: Sink, news: Sink) -> None:
    """Without a fallback the mails of a server that is away wait; the others go out meanwhile."""
    sink.script = Script(connect="refuse")
    _start(application, news, CIRCUIT_FAILURES="1", MAX_ATTEMPTS="5", RETRY_BASE_SECONDS="0.1")

    waiting = application.insert(10)
    ids = application.insert_numbered(range(100, 120), transport="news")
    for id in ids:
        application.wait_for(id, "SUCCESS")
    assert not [id for id in waiting if application.delivery(id)["state"] == "SUCCESS"]

    sink.script = Script()
    for id in waiting:
        application.wait_for(id, "SUCCESS", seconds=40)
    assert sorted(_numbers(sink)) == list(range(10))
    assert sorted(_numbers(news)) == list(range(100, 120))


def test_limit_of_one(application: Application, sink: Sink, news: Sink) -> None:
    """RATE_LIMIT_NEWS holds up the mails of that transport, and no others."""
    _start(application, news, RATE_LIMIT_NEWS="2/minute")

    ids = application.insert_numbered(range(4), transport="news")
    others = application.insert_numbered(range(10, 30))
    for id in others:
        application.wait_for(id, "SUCCESS")

    news.wait(2)
    waits = [application.delivery(id).get("waitsFor") for id in ids]
    assert len(news.messages) == 2
    assert waits.count("RATE_LIMIT_NEWS") == 2
    assert len(sink.messages) == 20


def _numbers(sink: Sink) -> list[int]:
    return [_number(message) for message in sink.messages]


def _number(message: Any) -> int:
    return int(message.recipients[0].removeprefix("recipient").partition("@")[0])
