"""What a template cannot reach, read from the engine's own code."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tasks.mail import handlebars
from tests.unit.mail.handlebars.samples import rendered


MODULES = sorted(Path(handlebars.__file__).parent.glob("*.py"))
#: Each would let a template's text choose what Python does.
FORBIDDEN = {
    *("eval", "exec", "compile", "getattr", "setattr", "delattr", "vars", "globals", "locals"),
    *("format", "format_map", "__import__", "open", "breakpoint", "input"),
}


@pytest.mark.parametrize("module", MODULES, ids=[module.stem for module in MODULES])
def test_imports(module: Path) -> None:
    """The engine imports the standard library and itself: it could be published alone."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            own = name == handlebars.__name__ or name.startswith(f"{handlebars.__name__}.")
            assert own or name.partition(".")[0] in sys.stdlib_module_names, name


@pytest.mark.parametrize("module", MODULES, ids=[module.stem for module in MODULES])
def test_no_way_to_python(module: Path) -> None:
    """The engine never calls what turns text into attributes or code."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = function.id if isinstance(function, ast.Name) else name
            is_pattern = (
                isinstance(function, ast.Attribute) and ast.unparse(function) == "re.compile"
            )
            assert is_pattern or name not in FORBIDDEN, f"line {node.lineno}: {name}"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "__class__",
            "this.__class__",
            "name.__class__",
            "name.upper",
            "list.append",
            "map.items",
        ),
        *("map.keys", "constructor", "name.constructor", "list.__len__", "__proto__", "toString"),
        *(
            "@root.__class__",
            "@__class__",
            "@index.__class__",
            "@_parent",
            "list.[-1]",
            "list.[0:1]",
        ),
    ],
)
def test_attributes(path: str) -> None:
    """Nothing of a value but its keys, indices and length can be read."""
    assert rendered("[{{" + path + "}}]") == "[]"
    assert rendered("[{{lookup (lookup this 'name') '" + path + "'}}]") == "[]"
