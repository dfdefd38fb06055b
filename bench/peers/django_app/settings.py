"""Settings of the Django contenders; what changes between measurements is in the environment."""

from __future__ import annotations

import os
from urllib.parse import urlsplit


_SMTP = urlsplit(os.environ["SMTP_CONNECTION_URI"])

SECRET_KEY = "no cookies here"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = "Bench <bench@example.com>"
EMAIL_HOST, EMAIL_PORT = _SMTP.hostname, _SMTP.port
EMAIL_TIMEOUT = 20
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", os.environ["BENCH_APP"]]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]

if "BENCH_POSTGRES" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "bench",
            "HOST": "127.0.0.1",
            "PORT": os.environ["BENCH_POSTGRES"],
        }
    }

# django-post_office: its README's settings for throughput, with the whole backlog in one batch.
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "CELERY_ENABLED": "BENCH_CELERY" in os.environ,
    "BATCH_SIZE": 100_000,
    "THREADS_PER_PROCESS": int(os.environ.get("BENCH_THREADS", "10")),
    "LOG_LEVEL": 0,
}

# django-celery-email: chunks of 10, its default; results kept, so that sent mails can be counted.
CELERY_EMAIL_CHUNK_SIZE = 10
CELERY_EMAIL_TASK_CONFIG = {"name": "djcelery_email_send_multiple", "ignore_result": False}

CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
CELERY_RESULT_BACKEND = os.environ["CELERY_BROKER_URL"].removesuffix("/0") + "/1"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
