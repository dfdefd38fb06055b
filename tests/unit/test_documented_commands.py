"""README.md and docs/: every command is known, every option exists."""

from __future__ import annotations

import ast
import re
import shlex
from typing import Any

import pytest
import typer
from celery.bin.celery import celery

from config.__main__ import cli as config_cli
from tasks.__main__ import cli as tasks_cli
from tests.support import documented
from tests.support.documented import ROOT, Command, Way
from tests.unit.config.test_documentation import KNOWN


BLOCKS = list(documented.in_blocks())
ALL = [*BLOCKS, *documented.in_sentences()]
#: Variables of the example clients, of programs that are not ours, and those with a name of yours.
OTHERS = {"ORDER"}
MAKEFILE = ROOT.joinpath("Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
MAKE_VARIABLES = set(re.findall(r"\$\(([A-Z]+)\)", MAKEFILE))
#: Commands of click; Typer has a click of its own, of other classes.
TREES: dict[str, Any] = {
    "tasks": typer.main.get_command(tasks_cli),
    "config": typer.main.get_command(config_cli),
    "celery": celery,
}
#: They take none.
WITHOUT_OPTIONS = {"watcher", "watcher.events", "console"}


def test_there_are_commands() -> None:
    """The blocks are found."""
    assert len(BLOCKS) > 50
    assert {Way.RUN, Way.ELSEWHERE, Way.NOT_RUN, Way.MAKE} <= {each.way for each in BLOCKS}


@pytest.mark.parametrize("command", BLOCKS, ids=lambda each: f"{each.page}: {each.line}")
def test_every_command_is_looked_after(command: Command) -> None:
    """A line that no test runs, and that has no reason to be left out, is unknown."""
    assert command.way is not Way.UNKNOWN
    if command.way is not Way.MAKE:
        assert set(command.variables) <= KNOWN | OTHERS


@pytest.mark.parametrize(
    "beginning", [*documented.ELSEWHERE, *documented.NOT_RUN, *documented.CODES]
)
def test_the_table_is_no_older_than_the_pages(beginning: str) -> None:
    """What nobody reads any more goes."""
    assert any(each.words.startswith(beginning) for each in BLOCKS)


@pytest.mark.parametrize("test", sorted(set(documented.ELSEWHERE.values())))
def test_the_other_tests_exist(test: str) -> None:
    """A test that is renamed takes the table with it."""
    path, _, name = test.partition("::")

    assert f"\ndef {name}(" in ROOT.joinpath(path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", sorted({each.words for each in ALL if each.words.startswith("make ")})
)
def test_make_targets_exist(words: str) -> None:
    """With the variables that are given to them."""
    for word in shlex.split(words)[1:]:
        name, given, value = word.partition("=")
        assert name in (MAKE_VARIABLES if given else TARGETS)
        if name == "BENCH":
            assert _options(shlex.split(value)) <= _written("bench")


@pytest.mark.parametrize(
    "words", sorted({each.words for each in ALL if each.words.startswith("python -m ")})
)
def test_options_exist(words: str) -> None:
    """Subcommands and options are those of `--help`; what a reader puts in stands in capitals."""
    _, _, module, *arguments = shlex.split(words)
    if module.startswith("bench"):
        assert _options(arguments) <= _written(module)
    elif module in WITHOUT_OPTIONS:
        assert arguments == []
    else:
        _look_up(TREES[module], arguments)


def test_an_invented_option_would_be_found() -> None:
    """The check above is able to fail."""
    with pytest.raises(AssertionError):
        _look_up(TREES["tasks"], ["list", "--status", "ERROR"])
    with pytest.raises(AssertionError):
        _look_up(TREES["tasks"], ["lists"])
    assert "--no-such" not in _written("bench")
    assert documented.Command("x", "kubectl get pods", "kubectl get pods").way is Way.UNKNOWN


def _look_up(command: Any, arguments: list[str]) -> None:
    """Walk down the subcommands; every option has to be one of the command it stands after."""
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    takes = {name for each in command.params if _takes_a_value(each) for name in each.opts}
    rest = iter(arguments)
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known | {"--help"}, (command.name, word)
            if word in takes:
                next(rest, None)
        elif hasattr(command, "commands") and word.lower() == word and word != "…":
            assert word in command.commands, (command.name, word)
            _look_up(command.commands[word], list(rest))


def _takes_a_value(parameter: Any) -> bool:
    return parameter.param_type_name == "option" and not (parameter.is_flag or parameter.count)


def _options(arguments: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in arguments if word.startswith("--")}


def _written(module: str) -> set[str]:
    """Some benchmarks begin at once, without `--help`: what argparse or Typer makes its options of
    stands in the source.
    """
    path = ROOT / module.replace(".", "/")
    file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text(encoding="utf-8")
    mains = [each for each in ast.parse(text).body if getattr(each, "name", "") == "main"]
    parameters = [name for main in mains for name in ast.walk(main) if isinstance(name, ast.arg)]
    named = {f"--{each.arg.replace('_', '-')}" for each in parameters}
    return named | set(re.findall(r'"(--[a-z-]+)"', text))
