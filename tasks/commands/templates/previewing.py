"""`python -m tasks templates preview`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from bson import json_util

from tasks.commands import safe_html
from tasks.commands.templates import opening
from tasks.mail.inline_css import inline
from tasks.mail.problems import quote
from tasks.mail.schema import Message, TemplateUse
from tasks.mail.templates import Library, render
from tasks.mail.templates.rendering import Unrenderable, message


def preview(
    name: Annotated[str, typer.Argument(help="The template's name.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="A JSON file with the data, in place of the sample.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Print the page, open nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the fields as JSON.")] = False,
) -> None:
    """Render a template with its sample, and open the page in a browser.

    On the page no script runs and nothing is fetched from the net.
    """
    with opening.collection() as (settings, collection):
        library = opening.library(collection.find({}), settings)
    rendered = _rendered(name, library, None if data is None else _data(data))
    if settings.inline_css and rendered.html:
        rendered = rendered.model_copy(update={"html": _inlined(rendered.html)})
    if as_json:
        fields = rendered.model_dump(include=set(_FIELDS), exclude_none=True, by_alias=True)
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False, default=_size))
    elif html:
        typer.echo(_page(name, rendered))
    else:
        _open(name, rendered)


_FIELDS = ("subject", "text", "html", "amp", "attachments")


def _rendered(name: str, library: Library, given: Any) -> Message:
    template = library.templates.get(name)
    try:
        if template is None:
            return render(TemplateUse(name=name), library)
        if given is None:
            return message(template, library, template.sample, path="sample")
        return message(template, library, given, path="data")
    except Unrenderable as error:
        lines = [f"template {problem}" for problem in error.problems]
        sys.exit(opening.printable("\n".join(lines)))


def _inlined(html: str) -> str:
    try:
        return inline(html)
    except ValueError as error:
        sys.exit(f"html {error}")


def _data(file: Path) -> Any:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
        found = json_util.loads(text)
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")
    if not isinstance(found, dict):
        sys.exit(f"{file}: must hold a map")
    return found


def _page(name: str, rendered: Message) -> str:
    rows = [("Template", name), ("Subject", rendered.subject or "")]
    rows += [("Attachment", _described(each)) for each in rendered.attachments or () if each]
    frames = [(label, html) for label, html in (("HTML", rendered.html),) if html]
    texts = [("Text", rendered.text)] if rendered.text else []
    if rendered.amp:
        texts.append(("AMP", rendered.amp))
    return safe_html.page(f"{name}: {rendered.subject or ''}", rows, texts=texts, frames=frames)


def _described(attachment: Any) -> str:
    fields = attachment.model_dump(exclude_none=True, exclude={"content", "raw"})
    return ", ".join(f"{key}: {value}" for key, value in fields.items())


def _open(name: str, rendered: Message) -> None:
    """Write the page to a file that only we can read, and show it."""
    handle, path = tempfile.mkstemp(prefix="template-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_page(name, rendered))
    if rendered.subject is not None:
        typer.echo(opening.printable(f"Subject: {rendered.subject}"))
    typer.echo(path)
    if not webbrowser.open(Path(path).as_uri()):
        typer.echo(f"There is no browser here; open {quote(path)} in one.", err=True)


def _size(value: object) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
