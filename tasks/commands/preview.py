"""`python -m tasks preview`: the mail of a document, as it would go out."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pymongo.errors import PyMongoError

from config import logs, mongo
from config.mongo import Document
from config.settings import Settings, load_or_exit
from tasks.commands import given, page, terminal
from tasks.commands.opened import Opened, of_letter, opened
from tasks.composing import Composer
from tasks.envelope import Mail
from tasks.errors import InvalidDocument, MailError
from tasks.mail.problems import quote


_MOST_SHOWN = 50
_KIB = 1024


def preview(
    target: Annotated[str, typer.Argument(metavar="FILE|ID", help=given.HELP)],
    *,
    html: Annotated[bool, typer.Option("--html", help="Show the HTML in the browser.")] = False,
    eml: Annotated[Path | None, typer.Option(help="Write the mail's bytes into this file.")] = None,
) -> None:
    """Show the mail of a document as it would go out, without sending it.

    Composed as a worker does it, with users and files from elsewhere; the document stays as it is.
    Exit code 0: shown, 1: it cannot be composed, 2: it cannot be read, 78: bad settings.
    """
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    found = (
        given.from_file(target)
        if given.is_file(target)
        else given.from_collection(target, settings)
    )
    mail = _composed({"_id": None, **found.document}, settings)
    read = opened(mail.content) if mail.letter is None else of_letter(mail.letter)
    if eml is not None:
        if mail.letter is not None:
            _fail("SendGrid writes this mail itself: there are no bytes of it here")
        _write(eml, mail.content)
    if html:
        _open(read)
    if eml is None and not html:
        _show(mail, read)


def _composed(document: Document, settings: Settings) -> Mail:
    try:
        with mongo.connect(settings, role="client") as client:
            mails = mongo.mail_collection(client, settings)
            return Composer(settings, mails, lambda: datetime.now(UTC))(document)
    except InvalidDocument as error:
        _fail(*error.problems)
    except MailError as error:
        _fail(str(error))
    except PyMongoError as error:
        _fail(f"MongoDB: {logs.redact(str(error))}")


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(terminal.clean(line), err=True)
    raise typer.Exit(1)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        _fail(f"{file}: {error.strerror}")


def _open(read: Opened) -> None:
    if read.html is None:
        _fail("this mail has no HTML")
    subject = next((value for name, value in read.headers if name == "Subject"), "")
    handle, name = tempfile.mkstemp(prefix="mail-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(page.page(subject, read.html, read.others))
    if not (_has_browser() and webbrowser.open(Path(name).as_uri())):
        typer.echo(name)


def _has_browser() -> bool:
    """Tell whether there is one beside this terminal: one inside it would garble the output."""
    variables = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(map(os.environ.get, variables))


def _show(mail: Mail, read: Opened) -> None:
    _section("Envelope", [f"by: {mail.transport}", *_envelope(mail)])
    _section("Header", [f"{name}: {value}" for name, value in read.headers])
    if read.text is not None:
        _section("Text", [read.text.rstrip("\n")])
    if read.html is not None:
        _section("HTML", [f"{_size(len(read.html.encode()))}; --html shows it"])
    parts = [_part(leaf.name or leaf.cid, leaf.type, len(leaf.content)) for leaf in read.others]
    _section("Other parts", parts)
    typer.echo(f"{_size(mail.size)} in all")


def _envelope(mail: Mail) -> list[str]:
    recipients = [f"to: {each}" for each in mail.recipients[:_MOST_SHOWN]]
    if len(mail.recipients) > _MOST_SHOWN:
        recipients.append(f"to: {len(mail.recipients) - _MOST_SHOWN} more")
    refused = [f"not to: {each.recipient} ({each.response})" for each in mail.rejected]
    missing = [f"no address: user {quote(str(uid))}" for uid in mail.missing_uids]
    return [
        f"from: {mail.sender}",
        *recipients,
        *refused[:_MOST_SHOWN],
        *missing[:_MOST_SHOWN],
    ]


def _part(name: str, type: str, size: int) -> str:
    return "  ".join(each for each in (name, type, _size(size)) if each)


def _section(title: str, lines: list[str]) -> None:
    if not lines:
        return
    typer.secho(title, bold=True)
    for line in lines:
        for row in terminal.clean(line).split("\n"):
            typer.echo(f"  {row}".rstrip())
    typer.echo()


def _size(count: int) -> str:
    return f"{count} bytes" if count < _KIB else f"{count / _KIB:.1f} KB"
