"""The schema of a document for MongoDB's `$jsonSchema`: BSON's types, no references.

MongoDB knows the keywords of draft 4 without $ref, and "bsonType" beside "type".
"""

from __future__ import annotations

from tasks.mail import json_schema, schema_tree
from tasks.mail.schema_tree import Schema


_BSON = {"boolean": "bool", "integer": "long"}
#: MongoDB refuses what it does not know.
_KNOWN = {
    *("bsonType", "properties", "additionalProperties", "required", "maxProperties"),
    *("items", "minItems", "maxItems", "pattern", "minLength", "maxLength", "enum"),
    *("anyOf", "allOf", "not", "description", "title"),
}


def of_models() -> Schema:
    """Make the schema that the models say."""
    return _made(json_schema.of_models())


def conditions() -> list[Schema]:
    """Make those that a mail has to meet before it is sent."""
    return [_made(each) for each in json_schema.CONDITIONS]


def _made(schema: Schema) -> Schema:
    definitions = schema.get("$defs", {})

    def inlined(part: Schema) -> Schema:
        if "$ref" not in part:
            return part
        name = part["$ref"].removeprefix("#/$defs/")
        target = schema_tree.mapped(definitions[name], inlined)
        # A field's own description says more than its model's.
        return {**target, **{key: value for key, value in part.items() if key != "$ref"}}

    whole = schema_tree.mapped(
        {key: value for key, value in schema.items() if key != "$defs"}, inlined
    )
    return schema_tree.mapped(schema_tree.mapped(whole, _bson), schema_tree.merged)


def _bson(schema: Schema) -> Schema:
    made = dict(schema)
    if "oneOf" in made:
        made["anyOf"] = made.pop("oneOf")
    if "type" in made:
        names = [_BSON.get(name, name) for name in schema_tree.types({"type": made.pop("type")})]
        made["bsonType"] = names[0] if len(names) == 1 else names
    unknown = made.keys() - _KNOWN
    if unknown:
        raise ValueError(f"MongoDB knows no {unknown}")
    return made
