"""`python -m tasks templates import`: a folder → the collection."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from config.mongo import Document
from config.settings import Settings
from tasks.commands.templates import folder, opening, plan, shelf
from tasks.commands.templates.difference import Difference, differences
from tasks.commands.templates.shelf import Key
from tasks.mail.templates import Library
from tasks.mail.templates.template import order
from tasks.operating import template_checks


_FIELDS = (*shelf.TEXTS.values(), *shelf.VALUES.values())


class _Changed(Exception):
    """Somebody else changed a template since it was read."""


def import_(
    directory: Annotated[Path, typer.Argument(help="welcome/html.hbs, partials/layout/html.hbs …")],
    *,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete templates that are not in the folder.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Bring a folder's templates into the collection, all at once, or none.

    Shows the difference first. Templates with errors are refused.
    """
    try:
        wanted = folder.read(directory)
        with opening.collection() as (settings, collection):
            documents = {order(each["_id"]): each for each in collection.find({})}
            library = opening.library(documents.values(), settings)
            found = differences(shelf.of(library, documents), wanted, delete=delete)
            _refuse_broken(found, library, documents, settings)
            done = plan.agreed(
                found, collection.full_name, yes=yes, dry_run=dry_run, as_json=as_json
            )
            if done:
                _write(collection, found, _by_key(library, documents))
    except (folder.FolderError, ValueError, _Changed) as error:
        sys.exit(f"import: {error}")
    plan.report(found, done=done, as_json=as_json)


def _by_key(library: Library, documents: Mapping[bytes, Document]) -> dict[Key, Document]:
    return {Key(each.name, each.partial): documents[order(each.id)] for each in library}


def _document(difference: Difference, before: Document | None) -> Document:
    """Give the document as it is to be."""
    new = {"_id": difference.key.name} if before is None else dict(before)
    given = _given(difference)
    new = {name: value for name, value in new.items() if name not in _FIELDS}
    return new | given | ({"partial": True} if difference.key.partial else {})


def _given(difference: Difference) -> dict[str, Any]:
    try:
        return shelf.fields(difference.new or {})
    except ValueError as error:
        raise ValueError(f"{difference.key}/{error}") from error


def _refuse_broken(
    found: Sequence[Difference],
    library: Library,
    documents: Mapping[bytes, Document],
    settings: Settings,
) -> None:
    """End the command when a template of the folder would be broken afterwards."""
    known = _by_key(library, documents)
    after = {each.key: _document(each, known.get(each.key)) for each in found if each.new}
    rest = {key: each for key, each in known.items() if key not in {d.key for d in found}}
    future = opening.library([*rest.values(), *after.values()], settings)
    lines = [
        f"{key}: {fault}"
        for each in future
        if (key := Key(each.name, each.partial)) in after
        for fault in template_checks.faults_of(each, future, inline_css=settings.inline_css)
    ]
    if lines:
        sys.exit(opening.printable("\n".join([*lines, "Nothing was done."])))


def _write(
    collection: Collection[Document], found: Sequence[Difference], known: Mapping[Key, Document]
) -> None:
    """Write in one transaction: workers see the old templates, or the new ones."""

    def write(session: ClientSession) -> None:
        for each in found:
            _write_one(collection, each, known.get(each.key), session)

    with collection.database.client.start_session() as session:
        session.with_transaction(write)


def _write_one(
    collection: Collection[Document],
    difference: Difference,
    before: Document | None,
    session: ClientSession,
) -> None:
    if before is None:
        document = _document(difference, None)
        if collection.find_one({"_id": document["_id"]}, {"_id": 1}, session=session):
            raise _Changed(f"{difference.key}: another document has the _id {document['_id']!r}")
        collection.insert_one(document, session=session)
        collection.update_one(
            {"_id": document["_id"]}, {"$currentDate": {"updateTime": True}}, session=session
        )
        return
    # $eq: a value may look like an operator.
    unchanged = {name: {"$eq": before.get(name)} for name in ("name", "partial", *_FIELDS)}
    unchanged = {"_id": before["_id"]} | unchanged
    if difference.new is None:
        count = collection.delete_one(unchanged, session=session).deleted_count
    else:
        given = _given(difference)
        update: Document = {"$set": given, "$currentDate": {"updateTime": True}}
        if gone := {name: "" for name in _FIELDS if name not in given and name in before}:
            update["$unset"] = gone
        if not given:
            del update["$set"]
        count = collection.update_one(unchanged, update, session=session).matched_count
    if not count:
        raise _Changed(f"{difference.key} was changed meanwhile; nothing was done. Try again.")
