"""The HTML of a mail, as it stands in the document, made safe to show in a frame.

It may hold scripts, and pictures that report when it is read. The page shows it in a sandboxed
frame, and the headers here forbid the same once more for whoever opens the address itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from tasks.operating.sealing import without_connections


#: Bytes of pictures that are put into one page.
_ROOM = 10_000_000

_CID = re.compile(r"""(?i)(?<=["'(=\s])cid:([^"'\s)>]{1,500})""")
_BEGINNING = re.compile(r"(?is)\A\s*(?:<!doctype[^>]*>)?")
_REMOTE = re.compile(
    r"""(?i)\b(?:src|srcset|background|poster)\s{0,9}=\s{0,9}["']?\s{0,9}(?:https?:)?//"""
    r"""|url\(\s{0,9}["']?\s{0,9}(?:https?:)?//|<link\b"""
)
_IMAGES = {
    b"\x89PNG\r\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}

#: Links open in a tab of their own: the frame shows the mail and nothing else.
_LINKS = '<base target="_blank">'


def body(document: Mapping[str, Any], name: str) -> str | None:
    """Give message.text or message.html, where it is a text."""
    message = document.get("message")
    value = message.get(name) if isinstance(message, Mapping) else None
    return value if isinstance(value, str) else None


def attachments(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the attachments that are maps."""
    message = document.get("message")
    value = message.get("attachments") if isinstance(message, Mapping) else None
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def html(document: Mapping[str, Any], *, remote: bool = False) -> str | None:
    """Give the mail's HTML with its inline pictures inside; None: it brings none.

    `remote`: styles from elsewhere may stay; without it nothing is connected to.
    """
    text = body(document, "html")
    if text is None:
        return None
    files = {
        each["cid"]: each for each in attachments(document) if isinstance(each.get("cid"), str)
    }
    room = _ROOM

    def resolve(match: re.Match[str]) -> str:
        nonlocal room
        uri = _data_uri(files.get(match[1]) or files.get(unquote(match[1])) or {}, room)
        room -= len(uri or "")
        return uri or match[0]

    found = _BEGINNING.match(text)
    split = found.end() if found else 0
    beginning, rest = text[:split], _CID.sub(resolve, text[split:])
    return beginning + _LINKS + (rest if remote else without_connections(rest))


def response(text: str | None, *, remote: bool) -> Response:
    """Answer with that HTML, fenced; `remote`: pictures from the net too."""
    if text is None:
        raise HTTPException(404, "this mail brings no HTML")
    return HTMLResponse(
        text.encode("utf-8", "replace"),
        headers={
            "Content-Security-Policy": policy(remote=remote),
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
        },
    )


def wants_the_net(text: str) -> bool:
    """Tell whether it has pictures or styles elsewhere, as far as can be seen."""
    return _REMOTE.search(text) is not None


def policy(*, remote: bool) -> str:
    """Give the Content-Security-Policy of that HTML; `remote`: pictures from the net too."""
    foreign = " https: http:" if remote else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"img-src data:{foreign}",
            f"style-src 'unsafe-inline'{foreign}",
            f"font-src data:{foreign}",
            f"media-src data:{foreign}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
            "sandbox allow-popups allow-popups-to-escape-sandbox",
        )
    )


def _data_uri(file: Mapping[str, Any], room: int) -> str | None:
    content = file.get("content")
    if isinstance(content, str) and str(file.get("encoding")).lower() == "base64":
        try:
            content = base64.b64decode(content)
        except (ValueError, binascii.Error):
            return None
    if not isinstance(content, bytes) or len(content) * 4 / 3 + 100 > room:
        return None
    kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), None)
    return kind and f"data:{kind};base64,{base64.b64encode(content).decode()}"
