"""One Celery task a mail: lease by findOneAndUpdate, smtplib pooled by thread, result by update."""

from __future__ import annotations

import os
import smtplib
import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from bson import ObjectId
from celery import Celery
from celery.signals import worker_ready
from pymongo import MongoClient, ReturnDocument
from pymongo.collection import Collection


Document = dict[str, Any]

LEASE = timedelta(seconds=60)

app = Celery("celery_task", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    # A killed worker's messages come back after the lease, not before.
    broker_transport_options={"visibility_timeout": 90},
    broker_connection_retry_on_startup=True,
)
_local = threading.local()


@worker_ready.connect
def _say_so(**_: Any) -> None:
    print("ready.", flush=True)


@app.task(name="send")
def send(id: str) -> None:
    document = _claim(ObjectId(id))
    if document is None:
        return
    try:
        refused = _submit(_compose(document))
    except (smtplib.SMTPException, OSError) as error:
        _finish(document, {"state": "ERROR", "error": str(error)})
    else:
        info = {"accepted": [document["to"]], "rejected": list(refused)}
        _finish(document, {"state": "SUCCESS", "info": info})


def _claim(id: ObjectId) -> Document | None:
    now = datetime.now(UTC)
    waits = [
        {"delivery.state": {"$in": [None, "PENDING", "RETRY"]}},
        {"delivery.state": "PROCESSING", "delivery.leaseExpireTime": {"$lt": now}},
    ]
    lease = {
        "delivery.state": "PROCESSING",
        "delivery.startTime": now,
        "delivery.leaseExpireTime": now + LEASE,
    }
    return _mails().find_one_and_update(
        {"_id": id, "$or": waits},
        {"$set": lease, "$inc": {"delivery.attempts": 1}},
        return_document=ReturnDocument.AFTER,
    )


def _finish(document: Document, outcome: Document) -> None:
    mine = {
        "_id": document["_id"],
        "delivery.state": "PROCESSING",
        "delivery.attempts": document["delivery"]["attempts"],
    }
    changes = {f"delivery.{name}": value for name, value in outcome.items()}
    changes |= {"delivery.endTime": datetime.now(UTC), "delivery.leaseExpireTime": None}
    _mails().update_one(mine, {"$set": changes})


def _compose(document: Document) -> EmailMessage:
    message = document["message"]
    mail = EmailMessage()
    mail["From"] = "Bench <bench@example.com>"
    mail["To"] = document["to"]
    mail["Subject"] = message["subject"]
    mail["Message-ID"] = f"<{document['_id']}@example.com>"
    mail.set_content(message["text"])
    mail.add_alternative(message["html"], subtype="html")
    return mail


def _submit(mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
    """Send over this thread's connection; a new one when the server has closed it."""
    try:
        return _connection().send_message(mail)
    except smtplib.SMTPServerDisconnected:
        del _local.smtp
        return _connection().send_message(mail)


def _connection() -> smtplib.SMTP:
    if not hasattr(_local, "smtp"):
        server = urlsplit(os.environ["SMTP_CONNECTION_URI"])
        _local.smtp = smtplib.SMTP(server.hostname or "", server.port or 25, timeout=20)
    smtp: smtplib.SMTP = _local.smtp
    return smtp


@cache
def _mails() -> Collection[Document]:
    client: MongoClient[Document] = MongoClient(os.environ["MONGODB_URI"])
    return client["mailtrigger"]["mail"]
