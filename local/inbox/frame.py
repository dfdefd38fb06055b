"""The HTML of a mail, made safe to show in a frame.

The mail is somebody else's: it may hold scripts, and pictures that report when it is read. The
page shows it in a sandboxed frame, and the headers here forbid the same once more for somebody
who opens the address itself.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote

from local.inbox.message import Part


_CID = re.compile(r"""(?i)(?<=["'(=\s])cid:([^"'\s)>]+)""")
_BEGINNING = re.compile(r"(?is)\A(?:\s|<!--.*?-->|<!doctype[^>]*>|<html[^>]*>|<head[^>]*>)*")

#: Links open in a tab of their own: the frame shows the mail and nothing else.
_LINKS = '<base target="_blank">'


def document(html: str, parts: Iterable[Part]) -> str:
    """Return the mail's HTML with its inline images inside."""
    images = {part.cid: part for part in parts if part.cid}

    def resolve(match: re.Match[str]) -> str:
        part = images.get(match[1]) or images.get(unquote(match[1]))
        return _data_uri(part) if part else match[0]

    beginning = _BEGINNING.match(html)
    split = beginning.end() if beginning else 0
    return html[:split] + _LINKS + _CID.sub(resolve, html[split:])


def policy(*, remote: bool) -> str:
    """Return the Content-Security-Policy of that document; `remote`: pictures from the net too."""
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


def _data_uri(part: Part) -> str:
    return f"data:{part.content_type};base64,{base64.b64encode(part.content).decode()}"
