"""Insert a mail and wait for its outcome: python insert.py ORDER.

Needs pymongo. MONGODB_URI names the server, MONGODB_DATABASE the database.
"""

import os
import sys
import time

import pymongo
from pymongo.errors import PyMongoError


#: How long somebody waits for the answer; the mail goes out after that, too.
SECONDS = float(os.environ.get("WAIT_SECONDS", "60"))


def insert(mails, order):
    """Insert the mail; whoever does not know whether that was done may do it again."""
    mail = {
        "to": "Ada <ada@example.com>",
        "message": {"subject": f"Your order {order}", "text": "It is on its way."},
        "idempotencyKey": f"order-{order}-sent",
    }
    return mails.insert_one(mail).inserted_id


def outcome(mails, id, seconds):
    """Give `delivery` when the mail is settled; raise when nobody knows in time."""
    deadline, pause = time.monotonic() + seconds, 0.02
    with pymongo.timeout(seconds):  # for MongoDB's answers
        while True:
            delivery = mails.find_one({"_id": id}, {"delivery": 1}).get("delivery", {})
            if delivery.get("state") in ("SUCCESS", "ERROR"):
                return delivery
            if time.monotonic() > deadline:
                raise TimeoutError(f"{delivery.get('state', 'NEW')} after {seconds} seconds")
            time.sleep(pause)
            pause = min(pause * 1.5, 1)


if __name__ == "__main__":
    with pymongo.MongoClient(os.environ["MONGODB_URI"]) as client:
        mails = client[os.environ.get("MONGODB_DATABASE", "mailtrigger")]["mail"]
        id = insert(mails, sys.argv[1])
        try:
            delivery = outcome(mails, id, SECONDS)
        except (TimeoutError, PyMongoError) as error:
            print(f"{id} is not settled, or nobody knows: {error}")
            sys.exit(4)
        print(delivery["state"], delivery["error"] or delivery["info"]["response"] or "sent before")
        sys.exit(delivery["state"] != "SUCCESS")
