"""`python -m tasks send`: a mail from flags or a file, and what becomes of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from bson.errors import BSONError
from pymongo.collection import Collection
from pymongo.errors import DocumentTooLarge, DuplicateKeyError, WriteError

from config.mongo import Document
from tasks.commands import letters, output
from tasks.commands.connection import connected, explain, fail
from tasks.commands.exits import Exit
from tasks.commands.letters import Letter
from tasks.commands.status import TimeoutOption, outcome, show, show_until_settled, span
from tasks.operating import following, ids, records


def send(  # noqa: PLR0913 - the options are the command
    file: Annotated[
        Path | None, typer.Argument(help="A document as JSON; -: from stdin.", show_default=False)
    ] = None,
    *,
    to: Annotated[list[str] | None, typer.Option(help="An address; several times.")] = None,
    cc: Annotated[list[str] | None, typer.Option(help="The same.")] = None,
    bcc: Annotated[list[str] | None, typer.Option(help="The same.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="The sender.")] = None,
    reply_to: Annotated[str | None, typer.Option(help="Where answers go.")] = None,
    subject: Annotated[str | None, typer.Option(help="The subject.")] = None,
    text: Annotated[str | None, typer.Option(help="The text; @FILE: what is in the file.")] = None,
    html: Annotated[str | None, typer.Option(help="The same as HTML.")] = None,
    attach: Annotated[list[Path] | None, typer.Option(help="A file; several times.")] = None,
    template: Annotated[str | None, typer.Option(help="A template's name.")] = None,
    data: Annotated[str | None, typer.Option(help="The template's data: JSON, or @FILE.")] = None,
    priority: Annotated[str | None, typer.Option(help="high, normal or low.")] = None,
    transport: Annotated[str | None, typer.Option(help="A transport's name.")] = None,
    send_at: Annotated[str | None, typer.Option(help="Not before: 2026-03-01T12:00.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="One mail for each key.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Until it is settled.")] = True,
    timeout: TimeoutOption = "2m",
    as_json: output.Json = False,
) -> None:
    """Insert a mail, and show what becomes of it.

    Flags are put over what the file says. Exit code: 0 SUCCESS, 1 ERROR, 5 ERROR in doubt, 4 not
    settled when the time was up; with --no-wait: 0 when it was inserted.
    """
    patience = span(timeout)
    letter = Letter(
        to=to,
        cc=cc,
        bcc=bcc,
        sender=from_,
        reply_to=reply_to,
        subject=subject,
        text=text,
        html=html,
        attach=attach,
        template=template,
        data=data,
        priority=priority,
        transport=transport,
        send_at=send_at,
        idempotency_key=idempotency_key,
    )
    try:
        document = letters.document(file, letter)
    except ValueError as error:
        fail(str(error), Exit.USAGE)
    with connected() as server:
        id = _insert(server.mails, document)
        if not wait:
            _say_id(ids.write(id), as_json=as_json)
            return
        if not as_json:
            _say_id(ids.write(id), as_json=False)
        deadline = time.monotonic() + patience
        mail = show_until_settled(
            following.until_settled(server.mails, id, deadline), as_json=as_json
        )
        if mail is None:
            fail(f"{ids.write(id)}: the mail was removed", Exit.NOT_FOUND)
        if not as_json:
            show(mail, as_json=False)
        code = outcome(mail)
        if code is Exit.UNSETTLED and not mail.is_settled:
            due = f", due {records.moment(mail.next_attempt)}" if mail.next_attempt else ""
            output.errors().print(
                f"Not settled within {timeout}{due}. Is a watcher running, and a worker?"
                f" python -m tasks doctor; then: python -m tasks status {ids.write(id)} --follow"
            )
    raise typer.Exit(code)


def _insert(mails: Collection[Document], document: Document) -> Any:
    try:
        return mails.insert_one(document).inserted_id
    except DuplicateKeyError:
        fail("there is a mail with this _id already; nothing was inserted", Exit.USAGE)
    except (WriteError, DocumentTooLarge, BSONError, OverflowError) as error:
        fail(f"MongoDB does not take this document: {explain(error)}", Exit.USAGE)


def _say_id(name: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"id": name, "state": "NEW"})
    else:
        output.console().print(output.text(name))
