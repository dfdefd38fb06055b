"""`manage.py send_queued_mail --processes=2` again and again: cron's job, without the minute."""

from __future__ import annotations

import os
import time

import django
from django.core.management import call_command


_PROCESSES = 2
_PAUSE_SECONDS = 0.02


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.django_app.settings")
    django.setup()
    print("ready.", flush=True)
    while True:
        call_command("send_queued_mail", processes=_PROCESSES)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
