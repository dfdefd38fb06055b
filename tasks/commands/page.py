"""The HTML of a mail as a page that can be opened in a browser.

The mail may be a hostile service's. It stands in a sandboxed frame: no scripts, forms, windows,
or leaving of the frame. The page's policy, which the frame inherits, allows styles and pictures
that are inside, and nothing from the net or the disk.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from urllib.parse import unquote

from tasks.commands import safe_html
from tasks.commands.opened import Leaf


_CID = re.compile(r"""(?i)(?<=["'(=\s])cid:([^"'\s)>]+)""")
_IMAGE = re.compile(r"image/[a-z0-9.+-]+")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
{no_lookups}
<meta name="referrer" content="no-referrer">
<title>{subject}</title>
<style>
  html, body {{ height: 100%; margin: 0; }}
  iframe {{ width: 100%; height: 100%; border: 0; background: white; }}
</style>
</head>
<body>
<iframe sandbox="" referrerpolicy="no-referrer" title="The mail" srcdoc="{mail}"></iframe>
</body>
</html>
"""


def page(subject: str, mail: str, parts: Sequence[Leaf]) -> str:
    """Make the page; inline images are put into the HTML."""
    images = {part.cid: part for part in parts if part.cid and _IMAGE.fullmatch(part.type)}

    def resolve(match: re.Match[str]) -> str:
        image = images.get(match[1]) or images.get(unquote(match[1]))
        return _data_uri(image) if image else match[0]

    inside = safe_html.sealed(_CID.sub(resolve, mail))
    return _PAGE.format(
        policy=html.escape(safe_html.POLICY),
        no_lookups=safe_html.NO_LOOKUPS,
        subject=html.escape(subject),
        mail=html.escape(inside),
    )


def _data_uri(image: Leaf) -> str:
    return f"data:{image.type};base64,{base64.b64encode(image.content).decode()}"
