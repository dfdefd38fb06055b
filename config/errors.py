"""Wrong settings, said in one line each: the variable, what is wrong, an example."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError


if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails


#: EX_CONFIG of sysexits.h: "something was found in an unconfigured or misconfigured state".
EXIT_CODE = 78

#: How alike two names must be (0 to 1): SMTP_CONNECTION_URL and _URI are 0.95.
_ALIKE = 0.85

#: A default that depends on other settings cannot be computed when one of those is wrong.
_FOLLOWS_FROM_OTHERS = "default_factory_not_called"

#: pydantic's kinds of error in our words; anything else keeps pydantic's.
_WORDS = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "string_too_long": "must not be longer than {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "extra_forbidden": "is not a known key",
}


class BadSettings(Exception):
    """The settings cannot be used; `problems`: one line each, without any value."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


def lines(
    error: ValidationError,
    fields: Mapping[str, FieldInfo],
    names_set: Iterable[str] = (),
    *,
    suffix: str = "",
) -> list[str]:
    """One line per problem; never the value itself, which may be a secret.

    `names_set`: the variables that have a value, to find the misspelt one. `suffix`: what stands
    behind the fields' names in the variables'.
    """
    unknown = [name for name in names_set if name.lower() not in fields]
    problems = (p for p in error.errors(include_url=False) if p["type"] != _FOLLOWS_FROM_OTHERS)
    return [_line(problem, fields, unknown, suffix) for problem in problems]


def misspelt(names_set: Iterable[str], fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """Variables that are set but not known, though they look like one that is: name → meant."""
    known = [name.upper() for name in fields]
    unknown = sorted({name for name in names_set if name.upper() not in known})
    meant = ((name, _similar(name.upper(), known)) for name in unknown)
    return {name: similar for name, similar in meant if similar}


def _line(
    problem: ErrorDetails, fields: Mapping[str, FieldInfo], unknown: Iterable[str], suffix: str
) -> str:
    field, *inside = (str(part) for part in problem["loc"])
    variable = f"{field.upper()}{suffix}"
    text = " ".join([".".join(inside), _words(problem)]).strip()
    meant = _similar(variable, unknown) if problem["type"] == "missing" else None
    hint = f" ({meant} is set: did you mean {variable}?)" if meant else ""
    examples: list[Any] = fields[field].examples or []
    example = f" Example: {variable}={examples[0]}" if examples else ""
    return f"{variable}: {text}{hint}.{example}"


def _words(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":
        return str(context["error"]).rstrip(".")
    words = _WORDS.get(problem["type"])
    if words is None:
        return problem["msg"][:1].lower() + problem["msg"][1:]
    return words.format(**context).replace("'", "")


def _similar(name: str, candidates: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=_ALIKE)
    return found[0] if found else None
