"""The published JSON Schema (draft 2020-12) of a document, made of the models that check it.

It describes MongoDB's Extended JSON, relaxed or canonical: there a date is `{"$date": …}`. The
models' own schemas name BSON's types by "bsonType", as MongoDB does (`bson_schema`).

What it cannot say: what addresses, header names, media types and encodings must look like, that
fields exclude each other, what the settings allow. Composing checks that (docs/document.md).
"""

from __future__ import annotations

from tasks.mail import schema_tree
from tasks.mail.schema import Document
from tasks.mail.schema_tree import Schema


_BINARY = {
    "type": "object",
    "required": ["base64", "subType"],
    "properties": {"base64": {"type": "string"}, "subType": {"type": "string"}},
}


def _wrapper(key: str, value: Schema) -> Schema:
    return {
        "type": "object",
        "required": [key],
        "properties": {key: value},
        "additionalProperties": False,
    }


_TEXT: Schema = {"type": "string"}
_LONG = _wrapper("$numberLong", _TEXT)
#: How Extended JSON writes what JSON has no type for.
_EXTENDED: dict[str, Schema] = {
    "date": {
        "description": "A date.",
        **_wrapper("$date", {"anyOf": [{"type": ["string", "integer"]}, _LONG]}),
    },
    "binary": {
        "description": "Binary.",
        "anyOf": [_wrapper("$binary", _BINARY), _wrapper("$uuid", _TEXT)],
    },
    "objectId": {
        "description": "An ObjectId.",
        **_wrapper("$oid", {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}),
    },
    "number": {
        "description": "A number.",
        "anyOf": [
            {"type": "number"},
            _LONG,
            _wrapper("$numberInt", _TEXT),
            _wrapper("$numberDouble", _TEXT),
        ],
    },
    "map": {
        "description": "A map, and not what Extended JSON writes as one.",
        "propertyNames": {
            "not": {
                "enum": [
                    *("$oid", "$date", "$binary", "$uuid", "$numberInt", "$numberLong"),
                    *("$numberDouble", "$numberDecimal", "$timestamp", "$regularExpression"),
                    *("$regex", "$code", "$symbol", "$minKey", "$maxKey", "$undefined"),
                    *("$ref", "$dbPointer"),
                ]
            }
        },
    },
}
_NAMES = {
    "date": "date",
    "binData": "binary",
    "objectId": "objectId",
    "int": "number",
    "long": "number",
    "double": "number",
}

_OURS: dict[str, Schema] = {
    "_id": {"description": "Of any type, up to 4 KB."},
    "delivery": {
        "description": "What became of the mail; not the writer's, but for a state of your own.",
        "type": ["object", "null"],
    },
}


def _present(name: str) -> Schema:
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _filled(name: str) -> Schema:
    filled = {"type": ["string", "array"], "minLength": 1, "minItems": 1}
    return {"required": [name], "properties": {name: filled}}


_TEMPLATED = [_present("template"), _present("sendGrid")]
#: What the models leave to `reading`, because one field stands for another.
CONDITIONS: list[Schema] = [
    {
        "description": "Somebody must get it: to, cc, bcc, toUids, ccUids or bccUids.",
        "anyOf": [_filled(name) for name in ("to", "cc", "bcc", "toUids", "ccUids", "bccUids")],
    },
    {
        "description": "A message is needed, or a template or sendGrid in its place.",
        "anyOf": [_present("message"), *_TEMPLATED],
    },
    {
        "description": "A message needs a subject, and text or html, unless a template has them.",
        "anyOf": [
            {
                "properties": {
                    "message": {
                        **_present("subject"),
                        "anyOf": [_filled("text"), _filled("html")],
                    }
                }
            },
            *_TEMPLATED,
        ],
    },
]


def of_models() -> Schema:
    """Make the schema that the models say, without pydantic's titles and defaults."""
    made = schema_tree.mapped(Document.model_json_schema(), _plain)
    made["description"] = "A mail to be sent: insert it into the mail collection."
    return made


def published() -> Schema:
    """Make the schema for editors and for services that check what they insert."""
    made = schema_tree.mapped(of_models(), _extended)
    made = schema_tree.mapped(schema_tree.mapped(made, schema_tree.merged), _map)
    definitions = {**made.pop("$defs"), **_EXTENDED}
    properties = {**made.pop("properties"), **_OURS}
    del made["$ref"]  # the whole is a map in any case
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mailtrigger document",
        **made,
        "properties": properties,
        "allOf": CONDITIONS,
        "$defs": definitions,
    }


def _plain(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("title", "default")}


def _extended(schema: Schema) -> Schema:
    if "bsonType" not in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key != "bsonType"}
    return {**rest, "$ref": f"#/$defs/{_NAMES[schema['bsonType']]}"}


def _map(schema: Schema) -> Schema:
    return {**schema, "$ref": "#/$defs/map"} if "object" in schema_tree.types(schema) else schema
