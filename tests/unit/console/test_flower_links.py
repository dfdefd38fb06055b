"""What a link asks Flower for, judged by Flower's own code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from bson import ObjectId
from flower.utils.search import TaskSearchEngine

from console import flower


URL = "http://127.0.0.1:5555"
ID = ObjectId("66f000000000000000000001")


@dataclass
class Task:
    uuid: str
    args: str
    hostname: str = "celery@mail-1"
    name: str = "tasks.send"
    state: str = "SUCCESS"
    kwargs: str = "{}"
    result: str = ""

    @property
    def worker(self) -> SimpleNamespace:
        return SimpleNamespace(hostname=self.hostname)


def _found(address: str | None, *tasks: Task) -> list[str]:
    """Search as Flower's page of tasks does: its script makes `key:value` of an address."""
    assert address is not None
    match = re.search(r"[\?&](name|worker)=([^&#]*)", address)
    assert match
    engine = TaskSearchEngine()
    engine.rebuild((task.uuid, task) for task in tasks)
    return sorted(engine.matching_ids(f"{match[1]}:{unquote(match[2])}"))


def test_the_tasks_of_a_mail() -> None:
    """Those that show its id, in whatever place."""
    tasks = [Task("a", f"x, {ID} and 47 more"), Task("b", "66f000000000000000000002")]
    tasks.append(Task("c", str(ID), name="other.task"))

    assert _found(flower.tasks_of_mail(URL, ID), *tasks) == ["a"]


@pytest.mark.parametrize("id", ["or der (7)", 'a "quoted" \\ id', "x&y=z#?/ü", "<script>"])
def test_ids_of_every_kind(id: str) -> None:
    """Nothing in an id ends the question, or the address."""
    address = flower.tasks_of_mail(URL, id)

    assert _found(address, Task("a", id), Task("b", "another")) == ["a"]
    assert urlsplit(address or "").fragment == ""


def test_the_tasks_of_a_workers_machine() -> None:
    """All workers there, whatever their names."""
    worker = flower.worker("mail-1:4711:0a1b2c")
    tasks = [Task("a", ""), Task("b", "", "w2@mail-1"), Task("c", "", "mail-1@mail-2")]

    assert worker == flower.Worker("mail-1", "4711", "0a1b2c")
    assert _found(flower.tasks_of_worker(URL, worker), *tasks) == ["a", "b"]


@pytest.mark.parametrize("text", [None, "", "mail-1", "mail-1:4711", ":1:a", "mail-1:x:a"])
def test_no_link_to_nothing(text: str | None) -> None:
    """A worker is named as workers name themselves; without Flower there is no link."""
    assert flower.worker(text) is None
    assert flower.tasks_of_worker(URL, None) is None
    assert flower.tasks_of_mail(None, ID) is None
    assert flower.tasks_of_mail(URL, 7) is None
    assert flower.tasks_of_mail(URL, "x" * 501) is None
