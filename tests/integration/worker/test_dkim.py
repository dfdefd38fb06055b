"""Mails that are signed, as an SMTP server gets them."""

from __future__ import annotations

import itertools

from config.dkim import DkimKey
from tests.support.application import Application
from tests.support.dkim_keys import ED25519, RSA, pem, verified
from tests.support.sink import Script, Sink


KEYS = (DkimKey("example.com", "mail", RSA), DkimKey("example.com", "ed", ED25519))
#: Dots at the beginning of lines, line ends of all kinds, and characters beyond ASCII.
MESSAGE = {"subject": "Größe 42", "text": ".\r\n..a\rGrüße \n.\n", "html": "<p>ü</p>\n" * 200}


def test_signatures_are_good_at_the_server(application: Application, sink: Sink) -> None:
    """Whatever the server offers: dkimpy verifies what it got. Only the worker has the keys."""
    application.watcher()
    log = application.worker(
        DKIM_DOMAIN="example.com",
        DKIM_SELECTOR="mail",
        DKIM_PRIVATE_KEY=pem(RSA),
        DKIM_DOMAIN_ED="example.com",
        DKIM_SELECTOR_ED="ed",
        DKIM_PRIVATE_KEY_ED=pem(ED25519),
        SMTP_MAX_MESSAGES="1",  # each connection learns anew what is offered
    ).log
    offers = [("PIPELINING", "8BITMIME", "SMTPUTF8"), ("8BITMIME",), ()]
    for number, extensions in enumerate(offers):
        sink.script = Script(extensions=extensions)
        ids = application.insert_numbered(
            [10 * number], message=MESSAGE, **{"from": "a@shop.example.com"}
        )
        ids += application.insert_numbered([10 * number + 1], message=MESSAGE, to="ü@example.org")
        for id in ids if "SMTPUTF8" in extensions else ids[:1]:
            application.wait_for(id, "SUCCESS")

    contents = [message.content for message in sink.messages]
    assert len(contents) == 4
    assert list(itertools.chain(*(verified(each, KEYS) for each in contents))) == [True] * 8
    assert "PRIVATE KEY" not in log.read_text(encoding="utf-8")


def test_other_senders_stay_unsigned(application: Application, sink: Sink) -> None:
    """No key for the domain of From: the mail goes out as it is."""
    application.watcher()
    application.worker(DKIM_DOMAIN="example.com", DKIM_SELECTOR="mail", DKIM_PRIVATE_KEY=pem(RSA))

    [id] = application.insert(1, **{"from": "a@example.net"})
    application.wait_for(id, "SUCCESS")

    assert b"DKIM" not in sink.messages[0].content
