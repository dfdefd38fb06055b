"""Change stream → one Celery task for each new mail; restarts where it stopped."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

from pymongo import MongoClient
from pymongo.collection import Collection

from bench.peers.celery_task.tasks import Document, send


#: Seconds between two saves of the resume token, and between two looks for lost mails.
_SAVE_EVERY, _SWEEP_EVERY = 1.0, 5.0
_INSERTED: list[Document] = [
    {"$match": {"operationType": "insert"}},
    {"$project": {"documentKey": 1}},
]


def relay(mails: Collection[Document], tokens: Collection[Document]) -> None:
    saved = tokens.find_one({"_id": "relay"})
    next_save = 0.0
    with mails.watch(_INSERTED, resume_after=saved and saved["token"]) as stream:
        print("relay ready", flush=True)
        while True:
            event = stream.try_next()
            if event is not None:
                send.delay(str(event["documentKey"]["_id"]))
            if time.monotonic() > next_save and stream.resume_token:
                token = {"$set": {"token": stream.resume_token}}
                tokens.update_one({"_id": "relay"}, token, upsert=True)
                next_save = time.monotonic() + _SAVE_EVERY


def sweep(mails: Collection[Document]) -> None:
    """Enqueue again what a worker claimed and did not finish."""
    while True:
        time.sleep(_SWEEP_EVERY)
        expired = {
            "delivery.state": "PROCESSING",
            "delivery.leaseExpireTime": {"$lt": datetime.now(UTC)},
        }
        for document in mails.find(expired, {"_id": 1}):
            send.delay(str(document["_id"]))


def main() -> None:
    client: MongoClient[Document] = MongoClient(os.environ["MONGODB_URI"])
    mails = client["mailtrigger"]["mail"]
    mails.create_index(
        "delivery.leaseExpireTime",
        partialFilterExpression={"delivery.state": "PROCESSING"},
        name="leases",
    )
    threading.Thread(target=sweep, args=(mails,), daemon=True).start()
    relay(mails, client["mailtrigger"]["tokens"])


if __name__ == "__main__":
    main()
