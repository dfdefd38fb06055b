"""The Celery application of a Django project, as Celery's documentation has it."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.django_app.settings")

app = Celery("django_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _say_so(**_: Any) -> None:
    print("ready.", flush=True)
