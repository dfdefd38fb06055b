"""MongoDB's validator of the collection, as `python -m tasks setup --validator` installs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import bson
import pytest
from bson import DBRef
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from pymongo.collection import Collection
from pymongo.errors import WriteError

from tasks import validator
from tasks.delivery.admit import Admission
from tasks.delivery.candidate import PROJECTION, Candidate
from tasks.delivery.claim import Claims
from tasks.delivery.indexes import FIELDS
from tasks.delivery.results import of_failure
from tasks.delivery.writer import ResultWriter
from tasks.errors import Permanent
from tasks.validator import Mode
from tests.support.application import Application
from tests.support.clock import SetClock
from tests.support.documents import BAD, GOOD, INCOMPLETE, WHOLE, random_documents
from tests.unit.mail.test_json_schema import fits_models


Mails = Collection[dict[str, Any]]


@pytest.fixture
def refusing(mails: Mails) -> Mails:
    """The collection, with its validator."""
    validator.install(mails, Mode.ERROR)
    return mails


def refusal(mails: Mails, document: dict[str, Any]) -> str:
    """Insert a document that must be refused; give what a service is told."""
    with pytest.raises(WriteError) as caught:
        mails.insert_one({**document})
    assert caught.value.code == 121
    assert caught.value.details is not None
    return json.dumps(caught.value.details["errInfo"], default=str)


@pytest.mark.parametrize("document", GOOD)
def test_good_documents_are_taken(refusing: Mails, document: dict[str, Any]) -> None:
    """Whatever would be sent."""
    refusing.insert_one({**document})


def test_ids_of_any_type_are_taken(refusing: Mails) -> None:
    """`_id` is the service's own."""
    for id in ("x", 5, 1.5, True, None, b"x", {"a": 1}, bson.MinKey()):
        refusing.insert_one({"_id": id, **WHOLE})


def test_bad_documents_are_refused(refusing: Mails) -> None:
    """The error a service gets names the field."""
    for field, document in BAD:
        assert f'"propertyName": "{field}"' in refusal(refusing, document), field


def test_incomplete_documents_are_refused(refusing: Mails) -> None:
    """The error says in words what is missing."""
    for words, document in INCOMPLETE:
        assert words in refusal(refusing, document)


def test_drafts_may_be_incomplete(refusing: Mails) -> None:
    """A state of the users' own holds a mail back; it must be whole when it is let go."""
    draft = refusing.insert_one({"delivery": {"state": "DRAFT"}}).inserted_id
    with pytest.raises(WriteError):
        refusing.update_one({"_id": draft}, {"$set": {"delivery.state": "PENDING"}})

    refusing.update_one({"_id": draft}, {"$set": {**WHOLE, "delivery.state": "PENDING"}})


@examples(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random_documents())
def test_random_documents(refusing: Mails, document: dict[str, Any]) -> None:
    """MongoDB refuses what the models refuse; a DBRef is a map to it."""
    try:
        refusing.insert_one({**document})
    except WriteError as error:
        told = json.dumps(error.details, default=str)
        assert not fits_models(document) or any(words in told for words, _ in INCOMPLETE)
    else:
        assert fits_models(_without_references(document))


def _without_references(value: Any) -> Any:
    if isinstance(value, DBRef):
        return {}
    if isinstance(value, dict):
        return {name: _without_references(each) for name, each in value.items()}
    return [_without_references(each) for each in value] if isinstance(value, list) else value


PATHS = sorted({*(path for fields in FIELDS.values() for path in fields), "delivery.expireAt"})


@pytest.mark.parametrize("path", ["delivery", *PATHS])
def test_no_list_where_an_index_looks(refusing: Mails, path: str) -> None:
    """One would make the index multikey, and every query over it slower, for good."""
    name, _, inner = path.partition(".")

    refusal(refusing, {**WHOLE, name: {inner: ["x"]} if inner else ["x"]})

    assert PATHS[0].startswith("delivery.")
    assert "priority" in PATHS


@pytest.mark.parametrize("name", ["warn", "error"])
def test_our_own_writes_pass(
    mails: Mails, clock: SetClock, admission: Admission, claims: Claims, name: str
) -> None:
    """Watcher and worker write into documents that were bad before, up to ERROR."""
    documents = [document for _, document in (*BAD, *INCOMPLETE)]
    documents = [each for each in documents if "delivery" not in each]
    ids = mails.insert_many([{**each} for each in documents]).inserted_ids
    validator.install(mails, Mode(name))
    writer = ResultWriter(mails, clock, None)

    candidates = [Candidate.of(each) for each in mails.find({}, PROJECTION)]
    assert len(admission.admit(candidates, clock())) == len(ids)
    for id in ids:
        claim = claims.claim(id, f"worker:{id}")
        assert claim is not None
        assert claims.begin_sending([claim])
        assert writer.put(of_failure(claim, None, Permanent("no"))).wait(10)

    assert mails.count_documents({"delivery.state": "ERROR", "delivery.error": "no"}) == len(ids)


def test_a_malformed_delivery_is_still_replaced(
    mails: Mails, clock: SetClock, admission: Admission
) -> None:
    """Documents that were there before the validator."""
    bad: list[Any] = [["x"], "x", {"state": ["PENDING"]}]
    mails.insert_many([{**WHOLE, "delivery": each} for each in bad])
    validator.install(mails, Mode.ERROR)

    admission.admit([Candidate.of(each) for each in mails.find({}, PROJECTION)], clock())

    assert mails.count_documents({"delivery.state": "ERROR"}) == len(bad)


def test_a_document_without_room_is_still_moved_away(
    refusing: Mails, clock: SetClock, admission: Admission
) -> None:
    """What is left in its place is no mail, and allowed all the same."""
    document = {"_id": 1, **WHOLE, "filler": ""}
    room = 16 * 1024 * 1024 - len(bson.encode(document)) - 20
    refusing.insert_one({**document, "filler": "x" * room})

    admission.admit([Candidate.of(each) for each in refusing.find({}, PROJECTION)], clock())

    assert (refusing.find_one() or {})["delivery"]["state"] == "ERROR"


def test_warn_takes_every_insert(mails: Mails) -> None:
    """MongoDB's log has the complaint."""
    validator.install(mails, Mode.WARN)

    mails.insert_one({"to": 5})

    assert validator.installed(mails) is Mode.WARN


def test_it_is_removed(refusing: Mails) -> None:
    """Twice is harmless."""
    for _ in range(2):
        validator.install(refusing, Mode.OFF)

    refusing.insert_one({"to": 5})
    assert validator.installed(refusing) is Mode.OFF


def test_the_command(application: Application) -> None:
    """It says what happens to inserts; without the option, ours is renewed and keeps its mode."""
    first = run(application, "--validator", "error")
    again = run(application)
    off = run(application, "--validator", "off")

    assert (first.returncode, first.stderr) == (0, "")
    assert "services get error 121, whose errInfo names the field" in first.stdout
    assert again.stdout.splitlines()[-1] == f"{application.mails.full_name}: validator error"
    assert "validator off: every insert is taken" in off.stdout
    assert run(application).stdout.count("\n") == 1


def test_a_validator_of_somebody_else_stays(application: Application, mails: Mails) -> None:
    """It is not ours to replace."""
    own = {"mood": "good"}
    mails.database.command("collMod", mails.name, validator=own)

    asked, unasked = run(application, "--validator", "off"), run(application)

    assert asked.returncode == 1
    assert "a validator that is not ours" in asked.stderr
    assert unasked.returncode == 0
    assert mails.options()["validator"] == own


def run(application: Application, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tasks", "setup", *options]
    return subprocess.run(
        command,
        env=application.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_real_worker_ends_an_old_bad_document(application: Application) -> None:
    """Inserted before there was a validator: ERROR, with every problem, like any other."""
    id = application.mails.insert_one({"to": 5, "message": {"subject": 1}}).inserted_id
    assert run(application, "--validator", "error").returncode == 0

    application.watcher()
    application.worker()

    assert "message.subject must be a string" in application.wait_for(id, "ERROR")["error"]
