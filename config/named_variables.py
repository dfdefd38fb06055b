"""Variables that come several times, told apart by a name at their end: DEFAULT_FROM_NEWS."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from config import errors


_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")

Model = TypeVar("Model", bound=BaseModel)


def suffix(name: str) -> str:
    """Give what ends the names of its variables."""
    return f"_{name.upper()}"


def fault(name: str) -> str | None:
    """Say what is wrong with a name."""
    if _NAME.fullmatch(name):
        return None
    return "must end in a name of letters, digits and _, at most 31 characters"


def all_of(model: type[BaseModel], names: Iterable[str]) -> set[str]:
    """Give all variables that some names may have."""
    return {f"{field.upper()}{suffix(name)}" for name in names for field in model.model_fields}


def read(model: type[Model], name: str, given: Mapping[str, str]) -> Model | list[str]:
    """Read those of one name; or give a line for each problem."""
    values = {
        field: given[f"{field.upper()}{suffix(name)}"]
        for field in model.model_fields
        if f"{field.upper()}{suffix(name)}" in given
    }
    try:
        return model.model_validate(values)
    except ValidationError as error:
        return errors.lines(error, model.model_fields, suffix=suffix(name))
