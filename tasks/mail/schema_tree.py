"""Walking and simplifying JSON Schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


Schema = dict[str, Any]

_MAPS = ("properties", "patternProperties", "$defs")
_ONES = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "oneOf", "allOf")
#: Say nothing about values of other types than their own, so that schemas of different types can
#: be one.
_OF_A_TYPE = {
    *("type", "bsonType", "pattern", "minLength", "maxLength", "items", "minItems", "maxItems"),
    *("properties", "additionalProperties", "maxProperties", "required"),
}


def mapped(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Change every schema in it, the inner ones first."""
    made = dict(schema)
    for key in _MAPS:
        if key in made:
            made[key] = {name: mapped(each, change) for name, each in made[key].items()}
    for key in _ONES:
        if isinstance(made.get(key), dict):
            made[key] = mapped(made[key], change)
    for key in _LISTS:
        if key in made:
            made[key] = [mapped(each, change) for each in made[key]]
    return change(made)


def merged(schema: Schema) -> Schema:
    """Write alternatives of different types as one schema with several types."""
    key = next((key for key in ("anyOf", "oneOf") if key in schema), None)
    if key is None:
        return schema
    options: list[Schema] = []
    for option in _flat(schema[key]):
        same = next((each for each in options if _can_be_one(each, option)), None)
        if same is None:
            options.append(dict(option))
        else:
            _join(same, option)
    rest = {name: value for name, value in schema.items() if name != key}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def types(schema: Schema) -> list[str]:
    """List the types that it names."""
    named: str | list[str] = schema.get("bsonType") or schema.get("type") or []
    return [named] if isinstance(named, str) else list(named)


def _flat(options: list[Schema]) -> list[Schema]:
    flat = [
        inner
        for option in options
        for inner in (option["anyOf"] if option.keys() == {"anyOf"} else [option])
    ]
    return [option for index, option in enumerate(flat) if option not in flat[:index]]


def _can_be_one(one: Schema, other: Schema) -> bool:
    keyword = "bsonType" if "bsonType" in one else "type"
    if keyword not in one or keyword not in other or set(types(one)) & set(types(other)):
        return False
    if "null" in types(other) and one.keys() <= _OF_A_TYPE | {"enum", "description"}:
        return True
    return one.keys() <= _OF_A_TYPE and other.keys() <= _OF_A_TYPE


def _join(one: Schema, other: Schema) -> None:
    keyword = "bsonType" if "bsonType" in one else "type"
    both = [*types(one), *types(other)]
    if "enum" in one:
        one["enum"] = [*one["enum"], None]
    one |= {name: value for name, value in other.items() if name != keyword}
    one[keyword] = both
