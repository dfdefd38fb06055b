"""The collection's validator: MongoDB itself tells services of a bad document when they insert it.

Only what the schema can say, so a document that passes may still end in ERROR, with the reason. It
never stands in the way of our own writes: they touch `delivery` alone, and documents that are bad
already are left alone by validationLevel moderate.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery.indexes import FIELDS
from tasks.delivery.states import State
from tasks.mail import bson_schema
from tasks.mail.schema_tree import Schema


#: Tells ours from an operator's own.
TITLE = "Mailtrigger"

_NO_LIST: Schema = {"not": {"bsonType": "array"}}
#: Documents that need not be whole: ours in place of one that was moved away, and those that a
#: state of the users' own (DRAFT) holds back.
_EXEMPT: list[Schema] = [
    {"required": ["movedTo"]},
    {
        "required": ["delivery"],
        "properties": {
            "delivery": {
                "bsonType": "object",
                "required": ["state"],
                "properties": {"state": {"not": {"enum": [None, *(each.value for each in State)]}}},
            }
        },
    },
]


class Mode(StrEnum):
    """What MongoDB does with a bad document."""

    WARN = "warn"  #: takes it, and writes into its own log
    ERROR = "error"  #: refuses it
    OFF = "off"  #: takes it: there is no validator


class ForeignValidator(Exception):
    """The collection has a validator that is not ours."""


def schema() -> Schema:
    """Make the `$jsonSchema`."""
    models = bson_schema.of_models()
    needed = [
        {**condition, "anyOf": [*_EXEMPT, *condition["anyOf"]]}
        for condition in bson_schema.conditions()
    ]
    return {
        "title": TITLE,
        "bsonType": "object",
        "properties": {**models["properties"], "delivery": _delivery()},
        "allOf": needed,
    }


def installed(mails: Collection[Document]) -> Mode:
    """Tell which one there is. Raises ForeignValidator, PyMongoError."""
    options = mails.options()
    validator = options.get("validator")
    if not validator:
        return Mode.OFF
    if validator.get("$jsonSchema", {}).get("title") != TITLE:
        raise ForeignValidator
    return Mode(options.get("validationAction", Mode.ERROR))


def install(mails: Collection[Document], mode: Mode) -> None:
    """Put it in place, or take it away. Raises ForeignValidator, PyMongoError."""
    there = installed(mails)
    if there == mode == Mode.OFF:
        return
    options: dict[str, Any] = {"validator": {}}
    if mode is not Mode.OFF:
        options = {
            "validator": {"$jsonSchema": schema()},
            "validationLevel": "moderate",
            "validationAction": mode.value,
        }
    mails.database.command("collMod", mails.name, **options)


def _delivery() -> Schema:
    """Keep lists out of what the indexes hold: one would make them multikey, for good."""
    paths = {path for fields in FIELDS.values() for path in fields}
    inner = sorted(path.partition(".")[2] for path in paths if path.startswith("delivery."))
    return {
        "description": "What became of the mail; a map without lists where indexes look.",
        "bsonType": ["object", "null"],
        "properties": dict.fromkeys((*inner, "expireAt"), _NO_LIST),
    }
