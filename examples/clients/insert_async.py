"""Insert a mail and wait for its outcome by a change stream: python insert_async.py ORDER.

Needs pymongo. MONGODB_URI names the server, MONGODB_DATABASE the database.
"""

import asyncio
import os
import sys

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError


#: How long somebody waits for the answer; the mail goes out after that, too.
SECONDS = float(os.environ.get("WAIT_SECONDS", "60"))


async def insert(mails, order):
    """Insert the mail; whoever does not know whether that was done may do it again."""
    mail = {
        "to": "Ada <ada@example.com>",
        "message": {"subject": f"Your order {order}", "text": "It is on its way."},
        "idempotencyKey": f"order-{order}-sent",
    }
    return (await mails.insert_one(mail)).inserted_id


async def outcome(mails, id):
    """Give `delivery` when the mail is settled. It can be cancelled anywhere."""
    changes = [{"$match": {"documentKey._id": id}}]
    async with await mails.watch(changes, full_document="updateLookup") as stream:
        # Read after the stream is open: no change falls between the two.
        mail = await mails.find_one({"_id": id})
        while mail.get("delivery", {}).get("state") not in ("SUCCESS", "ERROR"):
            mail = (await stream.next())["fullDocument"]
        return mail["delivery"]


async def main(order):
    async with AsyncMongoClient(os.environ["MONGODB_URI"]) as client:
        mails = client[os.environ.get("MONGODB_DATABASE", "mailtrigger")]["mail"]
        id = await insert(mails, order)
        try:
            async with asyncio.timeout(SECONDS):
                delivery = await outcome(mails, id)
        except (TimeoutError, PyMongoError) as error:
            print(f"{id} is not settled, or nobody knows: {error!r}")
            return 4
        print(delivery["state"], delivery["error"] or delivery["info"]["response"] or "sent before")
        return 0 if delivery["state"] == "SUCCESS" else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
