"""Insert a mail and wait for its outcome. Needs pymongo; MONGODB_URI names the server."""

import os
import time

from pymongo import MongoClient


mails = MongoClient(os.environ["MONGODB_URI"]).get_default_database("mailtrigger")["mail"]
id = mails.insert_one(
    {
        "to": "Ada <ada@example.com>",
        "message": {
            "subject": "Hello from Python",
            "text": "It works.",
            "html": "<b>It works.</b>",
        },
    }
).inserted_id

delivery: dict = {}
while delivery.get("state") not in ("SUCCESS", "ERROR"):
    time.sleep(0.2)
    delivery = mails.find_one({"_id": id}).get("delivery", {})
print(delivery["state"], delivery["error"] or delivery["info"]["response"])
