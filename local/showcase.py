"""The mails of examples/: inserted as any service would, then followed to the inbox."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bson import ObjectId, json_util
from pymongo.collection import Collection

from config.mongo import Document
from local.ports import LOOPBACK
from local.states import DELIVERED, Track
from tasks.commands.templates import folder, shelf


EXAMPLES = Path("examples")
_SECONDS = 10


def load(directory: Path = EXAMPLES) -> dict[str, Document]:
    """Read the documents: file name without ending → document (MongoDB extended JSON)."""
    return {
        path.stem: json_util.loads(path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.json"))
    }


def insert_templates(templates: Collection[Document]) -> None:
    """Insert the templates of examples/templates; those that are there stay as they are."""
    for key, files in folder.read(EXAMPLES / "templates").items():
        document = shelf.fields(files) | ({"partial": True} if key.partial else {})
        templates.update_one({"_id": key.name}, {"$setOnInsert": document}, upsert=True)


def insert(mails: Collection[Document]) -> list[Track]:
    """Insert each as a new document; return the tracks to follow them."""
    tracks = []
    for name, document in load().items():
        id = ObjectId()
        mails.insert_one({"_id": id, **document})
        tracks.append(Track(id, name))
    return tracks


def undelivered(tracks: Iterable[Track]) -> list[str]:
    """Say of each mail that is not delivered why, one line each."""
    return [
        f"{track.name}: {track.state}{f' - {track.error}' if track.error else ''}"
        for track in tracks
        if track.state != DELIVERED
    ]


def missing_in_inbox(mails: Collection[Document], tracks: Sequence[Track], port: int) -> list[str]:
    """Say which delivered mails the inbox does not show."""
    shown = {mail["messageId"].strip("<>") for mail in _inbox(port)}
    sent = mails.find(
        {"_id": {"$in": [track.id for track in tracks]}}, {"delivery.info.messageId": 1}
    )
    ids = {found["_id"]: found["delivery"]["info"]["messageId"].strip("<>") for found in sent}
    return [
        f"{track.name}: SUCCESS, but it is not in the inbox"
        for track in tracks
        if ids.get(track.id) not in shown
    ]


def _inbox(port: int) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/api/mails")
        found: list[dict[str, Any]] = json.load(connection.getresponse())["mails"]
    finally:
        connection.close()
    return found
