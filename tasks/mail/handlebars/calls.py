"""Helpers that give a value, and calls of what is no helper."""

from __future__ import annotations

from typing import Any, NoReturn

from tasks.mail.handlebars.access import lookup
from tasks.mail.handlebars.errors import quote
from tasks.mail.handlebars.runtime import Fault, Scope, Value
from tasks.mail.handlebars.values import is_true


#: Helpers with a block, and how many parameters they take: one each.
BLOCK_HELPERS = ("if", "unless", "each", "with")
VALUE_HELPERS = ("lookup", "log")
#: Upstream reserves these names and refuses to call them.
RESERVED = ("helperMissing", "blockHelperMissing")
HELPERS = (*BLOCK_HELPERS, *VALUE_HELPERS, *RESERVED)


def helper(name: str, params: list[Value], field: Value, fault: Fault) -> Value:
    """Compile a call whose value is wanted; `field`: what the name means if it is no helper."""
    if name == "lookup":
        return _lookup(params, fault)
    if name == "log":
        return _log(params)
    if name in BLOCK_HELPERS:
        return failing(f"{name} needs a block: {{{{#{name} …}}}}…{{{{/{name}}}}}", fault)
    if params or name in RESERVED:
        known = ", ".join((*BLOCK_HELPERS, *VALUE_HELPERS))
        return failing(f"there is no helper {quote(name)}; there are {known}", fault)
    return _no_helper(name, field, fault)


def failing(message: str, fault: Fault) -> Value:
    """Compile what is an error as soon as it is reached."""

    def value(_: Scope) -> NoReturn:
        raise fault(message, None)

    return value


def _lookup(params: list[Value], fault: Fault) -> Value:
    def value(scope: Scope) -> Any:
        held, *keys = [param(scope) for param in params] or [True]
        if not is_true(held):
            return held
        if len(keys) != 1:
            raise fault("lookup takes two values: a list or map, and a key", None)
        return lookup(held, keys[0], scope.run)

    return value


def _log(values: list[Value]) -> Value:
    """The data of mails belongs into no log: only what is wrong with the values shows."""

    def value(scope: Scope) -> None:
        for logged in values:
            logged(scope)

    return value


def _no_helper(name: str, field: Value, fault: Fault) -> Value:
    def value(scope: Scope) -> None:
        if is_true(field(scope)):
            raise fault(f"{quote(name)} is a field, no helper: it takes no parameters", None)

    return value
