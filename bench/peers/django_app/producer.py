"""The application that has mails to send; commands on stdin, one answer each on stdout.

insert FIRST COUNT   hand over these mails; answers the CPU seconds of doing so
books                answers how many mails the contender's store has as sent and as failed
failures             answers the recipients of those that failed
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Protocol

import django

from bench.mails import mail


_SENDER = "Bench <bench@example.com>"
_CHUNK = 500


class Shop(Protocol):
    """A way to hand over mails, and to ask what became of them."""

    def insert(self, mails: list[dict[str, Any]]) -> None: ...
    def books(self) -> tuple[int, int]: ...
    def failures(self) -> list[str]: ...


class PostOffice:
    """django-post_office: rows in PostgreSQL."""

    def insert(self, mails: list[dict[str, Any]]) -> None:
        from post_office import mail as post_office  # noqa: PLC0415 - after django.setup()

        post_office.send_many(
            [
                {
                    "recipients": each["to"],
                    "sender": _SENDER,
                    "subject": each["message"]["subject"],
                    "message": each["message"]["text"],
                    "html_message": each["message"]["html"],
                }
                for each in mails
            ]
        )

    def books(self) -> tuple[int, int]:
        from post_office.models import STATUS, Email  # noqa: PLC0415

        sent = Email.objects.filter(status=STATUS.sent).count()
        return sent, Email.objects.filter(status=STATUS.failed).count()

    def failures(self) -> list[str]:
        from post_office.models import STATUS, Email  # noqa: PLC0415

        return [each.to[0] for each in Email.objects.filter(status=STATUS.failed)]


class CeleryEmail:
    """django-celery-email: the mails travel in the tasks; all it knows are the tasks' results."""

    def __init__(self) -> None:
        self._open: list[Any] = []
        self._sent = 0
        self._failed = 0

    def insert(self, mails: list[dict[str, Any]]) -> None:
        from django.core.mail import EmailMultiAlternatives, get_connection  # noqa: PLC0415

        messages = []
        for each in mails:
            content = each["message"]
            message = EmailMultiAlternatives(
                content["subject"], content["text"], _SENDER, [each["to"]]
            )
            message.attach_alternative(content["html"], "text/html")
            messages.append(message)
        backend = get_connection("djcelery_email.backends.CeleryEmailBackend")
        self._open += backend.send_messages(messages)

    def books(self) -> tuple[int, int]:
        still = []
        for result in self._open:
            if result.successful():
                self._sent += result.result
            elif result.failed():
                self._failed += 1
            else:
                still.append(result)
        self._open = still
        return self._sent, self._failed

    def failures(self) -> list[str]:
        return []  # a failed task does not say which mails of its chunk were sent


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.django_app.settings")
    django.setup()
    from bench.peers.django_app import celery_app  # noqa: F401, PLC0415 - the tasks' application

    shop: Shop = PostOffice() if os.environ["BENCH_APP"] == "post_office" else CeleryEmail()
    print("ready.", flush=True)
    for line in sys.stdin:
        print(_answer(shop, *line.split()), flush=True)


def _answer(shop: Shop, verb: str, *numbers: str) -> str:
    if verb == "books":
        return " ".join(str(each) for each in shop.books())
    if verb == "failures":
        return " ".join(shop.failures())
    first, count = (int(each) for each in numbers)
    started = time.process_time()
    for start in range(first, first + count, _CHUNK):
        shop.insert([mail(each) for each in range(start, min(start + _CHUNK, first + count))])
    return str(time.process_time() - started)


if __name__ == "__main__":
    main()
