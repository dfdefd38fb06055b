"""Copy mails, templates and users of Firebase's extension from Firestore to MongoDB.

    python examples/firestore.py export my-project mail > mail.json
    python examples/firestore.py copy-mails mail.json

`export` reads Firestore's REST API: FIRESTORE_TOKEN is what `gcloud auth print-access-token`
prints; with FIRESTORE_EMULATOR_HOST it reads the emulator. The copies go to MONGODB_URI, into the
database MONGODB_DATABASE (mailtrigger). Doing it again copies what is new and changes nothing else.

Ids stay, as strings. Timestamps become dates (to the millisecond), bytes binary, references the id
that they point to, geo points a map. Collections below documents are not copied.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError


#: A state that Mailtrigger does not know, and leaves alone.
HELD = "FROM_FIRESTORE"
DUPLICATE_KEY = 11000
PAGE, CHUNK = 300, 500

Document = dict[str, Any]


def export(project: str, path: str, database: str) -> Iterator[Document]:
    """Read a collection, page by page, as the REST API gives it."""
    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
    base = f"http://{emulator}" if emulator else "https://firestore.googleapis.com"
    place = f"projects/{project}/databases/{database}/documents/{path}"
    url = f"{base}/v1/{urllib.parse.quote(place, safe='/()')}"
    token = os.environ.get("FIRESTORE_TOKEN", "owner")
    query = {"pageSize": str(PAGE)}
    while True:
        request = urllib.request.Request(  # noqa: S310 - the scheme stands above
            f"{url}?{urllib.parse.urlencode(query)}", headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                page = json.load(answer)
        except urllib.error.URLError as error:
            sys.exit(f"Firestore: {error}")
        yield from page.get("documents", [])
        if "nextPageToken" not in page:
            return
        query["pageToken"] = page["nextPageToken"]


def read(file: Path) -> Iterator[Document]:
    """Give the documents of a file: one on each line, or pages of the REST API."""
    with file.open(encoding="utf-8") as lines:
        try:
            for line in lines:
                if line.strip():
                    yield from _documents(json.loads(line))
        except json.JSONDecodeError:
            lines.seek(0)
            yield from _documents(json.load(lines))


def _documents(found: Any) -> Iterator[Document]:
    pages = found if isinstance(found, list) else [found]
    for page in pages:
        yield from map(document, page.get("documents", [page] if "name" in page else []))


def document(found: Document) -> Document:
    """Make a document of MongoDB."""
    fields = {name: value(each) for name, each in found.get("fields", {}).items()}
    return {"_id": found["name"].rpartition("/")[2], **fields}


def value(typed: Document) -> Any:
    """Translate a value, which Firestore writes with its type: `{"stringValue": "x"}`."""
    [(kind, raw)] = typed.items()
    return _KINDS[kind](raw)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "nullValue": lambda _: None,
    "stringValue": str,
    "booleanValue": bool,
    "integerValue": int,
    "doubleValue": float,
    "timestampValue": datetime.fromisoformat,
    "bytesValue": base64.b64decode,
    "referenceValue": lambda path: path.rpartition("/")[2],
    "geoPointValue": lambda point: {
        name: point.get(name, 0.0) for name in ("latitude", "longitude")
    },
    "arrayValue": lambda array: [value(each) for each in array.get("values", [])],
    "mapValue": lambda fields: {
        name: value(each) for name, each in fields.get("fields", {}).items()
    },
}


def as_history(mail: Document) -> Document:
    """Make a mail that Mailtrigger does not send: what is done stays, what is open is held."""
    delivery = mail.get("delivery") or {}
    state = delivery.get("state")
    if state in ("PENDING", "RETRY", None):
        delivery = {**delivery, "state": HELD}
    elif state == "PROCESSING":
        # Nobody knows whether the extension has sent it.
        text = "Message processing lease expired."
        delivery = {**delivery, "state": "ERROR", "error": text, "inDoubt": True}
    return {**mail, "delivery": delivery}


def copy(documents: Iterable[Document], to: Collection[Document]) -> bool:
    """Insert those that are not there yet; tell whether all are there now."""
    there = refused = total = 0
    rest = iter(documents)
    while chunk := list(itertools.islice(rest, CHUNK)):
        total += len(chunk)
        try:
            to.insert_many(chunk, ordered=False)
        except BulkWriteError as error:
            for failure in error.details["writeErrors"]:
                if failure["code"] == DUPLICATE_KEY:
                    there += 1
                else:
                    refused += 1
                    print(chunk[failure["index"]]["_id"], failure["errmsg"], file=sys.stderr)
    print(f"{to.name}: {total - there - refused} copied, {there} were there, {refused} refused")
    return not refused


def release(mails: Collection[Document]) -> None:
    """Let the held mails go: they are sent at once."""
    result = mails.update_many({"delivery.state": HELD}, {"$unset": {"delivery": ""}})
    print(f"{mails.name}: {result.modified_count} released")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Copy from Firestore to MongoDB.")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="print a collection, a document on each line")
    exporting.add_argument("project")
    exporting.add_argument("path", help="mail, templates, users")
    exporting.add_argument("--database", default="(default)")
    copying = commands.add_parser("copy", help="copy a file into a collection, as it is")
    copying.add_argument("file", type=Path)
    copying.add_argument("collection")
    mails = commands.add_parser("copy-mails", help="copy a file into the mail collection, unsent")
    mails.add_argument("file", type=Path)
    commands.add_parser("release", help="send what the extension had not begun")
    return parser.parse_args()


def main() -> None:
    """Do what is asked."""
    given = _arguments()
    if given.command == "export":
        for found in export(given.project, given.path, given.database):
            print(json.dumps(found, ensure_ascii=False))
        return
    with MongoClient[Document](os.environ["MONGODB_URI"]) as client:
        database = client[os.environ.get("MONGODB_DATABASE", "mailtrigger")]
        mails = database[os.environ.get("MAIL_COLLECTION", "mail")]
        if given.command == "release":
            release(mails)
        elif given.command == "copy-mails":
            sys.exit(not copy(map(as_history, read(given.file)), mails))
        else:
            sys.exit(not copy(read(given.file), database[given.collection]))


if __name__ == "__main__":
    main()
