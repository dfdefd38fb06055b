"""The published JSON Schema says what composing checks, as far as JSON Schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from bson.json_util import CANONICAL_JSON_OPTIONS, RELAXED_JSON_OPTIONS
from hypothesis import given
from hypothesis import settings as examples
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tasks.errors import MailError
from tasks.mail import json_schema
from tasks.mail.schema import Document
from tests.support.documents import BAD, GOOD, INCOMPLETE, random_documents
from tests.unit.mail.samples import composed


ROOT = Path(__file__).parents[3]
SCHEMA = json_schema.published()
WHOLE = Draft202012Validator(SCHEMA)
#: Without what the models leave to later checks.
OF_MODELS = Draft202012Validator({**SCHEMA, "allOf": []})
FORMS = [RELAXED_JSON_OPTIONS, CANONICAL_JSON_OPTIONS]


def extended(document: dict[str, Any], form: json_util.JSONOptions) -> Any:
    return json.loads(json_util.dumps(document, json_options=form))


def is_composed(document: dict[str, Any]) -> bool:
    try:
        composed(**{"message": None, "to": None, **document})
    except MailError:
        return False
    return True


def fits_models(document: dict[str, Any]) -> bool:
    try:
        Document.model_validate(document)
    except ValidationError:
        return False
    return True


def test_it_is_a_schema() -> None:
    """By the draft's own schema; every field of a document has a description."""
    Draft202012Validator.check_schema(SCHEMA)

    nouns = [SCHEMA, *(each for each in SCHEMA["$defs"].values() if each.get("properties"))]
    fields = {
        name: field
        for noun in nouns
        for name, field in noun["properties"].items()
        if not name.startswith("$")
    }
    assert len(fields) > 40
    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_every_field_of_the_models_is_there() -> None:
    """By the names that documents have."""
    names = {field.alias for field in Document.model_fields.values()}

    assert set(SCHEMA["properties"]) == names | {"_id", "delivery"}


def test_the_file_is_current() -> None:
    """docs/mail.schema.json is what `python -m tasks schema` prints."""
    file = ROOT / "docs/mail.schema.json"

    assert json.loads(file.read_text(encoding="utf-8")) == SCHEMA, (
        "python -m tasks schema > docs/mail.schema.json"
    )


@pytest.mark.parametrize("form", FORMS, ids=["relaxed", "canonical"])
@pytest.mark.parametrize("document", GOOD)
def test_good_documents(document: dict[str, Any], form: json_util.JSONOptions) -> None:
    """What is composed is right, in both forms of Extended JSON."""
    assert is_composed(document)
    assert [error.message for error in WHOLE.iter_errors(extended(document, form))] == []


@pytest.mark.parametrize(("field", "document"), BAD)
def test_bad_documents(field: str, document: dict[str, Any]) -> None:
    """What the models refuse is wrong, and the schema's error names the field."""
    assert not fits_models(document)
    for form in FORMS:
        errors = list(OF_MODELS.iter_errors(extended(document, form)))
        assert any(field in _names(error) for error in errors), errors


@pytest.mark.parametrize(("words", "document"), INCOMPLETE)
def test_incomplete_documents(words: str, document: dict[str, Any]) -> None:
    """What is missing is wrong, too, and said in words."""
    assert not is_composed(document)
    errors = WHOLE.iter_errors(extended(document, RELAXED_JSON_OPTIONS))
    assert any(words in error.schema["description"] for error in errors)


@examples(max_examples=300)
@given(random_documents())
def test_random_documents(document: dict[str, Any]) -> None:
    """Models and schema agree about values of every BSON type in every field."""
    for form in FORMS:
        assert OF_MODELS.is_valid(extended(document, form)) is fits_models(document)


@examples(max_examples=100)
@given(random_documents())
def test_what_is_composed_is_valid(document: dict[str, Any]) -> None:
    """The whole schema never refuses a document that would be sent."""
    if is_composed(document):
        assert WHOLE.is_valid(extended(document, RELAXED_JSON_OPTIONS))


def _names(error: Any) -> set[Any]:
    inner = {name for each in error.context or () for name in _names(each)}
    return {*error.absolute_path, *inner}
