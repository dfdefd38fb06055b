"""Other people's HTML on a page that can be opened: nothing runs, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from tasks.operating.sealing import without_connections


#: For the page; what stands in its frame inherits it. Scripts, forms, remote pictures, styles and
#: fonts: none. Pictures may stand in the HTML itself (data:).
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:;"
    " form-action 'none'; base-uri 'none'"
)
#: Browsers look up the names of links before anybody clicks; a frame inherits this.
NO_LOOKUPS = '<meta http-equiv="x-dns-prefetch-control" content="off">'
#: No permission at all: no scripts, no pop-ups, no forms, no way out of the frame.
_SANDBOX = ""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
{no_lookups}
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; font: 15px/1.5 system-ui, sans-serif; }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; margin: 1rem; }}
dt {{ opacity: .65; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1rem; margin: 1rem 1rem .3rem; }}
pre {{ margin: 0 1rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
iframe {{ display: block; width: 100%; height: 85vh; border: 0; border-top: 1px solid #8886; }}
</style>
</head>
<body>
<dl>{rows}</dl>
{texts}{frames}</body>
</html>
"""


def page(
    title: str,
    rows: Iterable[tuple[str, str]] = (),
    *,
    texts: Iterable[tuple[str, str]] = (),
    frames: Iterable[tuple[str, str]] = (),
) -> str:
    """Make the page: `rows` of name and value, `texts` as they are, and HTML in `frames`."""
    return _PAGE.format(
        policy=escape(POLICY),
        no_lookups=NO_LOOKUPS,
        title=escape(title),
        rows="".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows),
        texts="".join(f"<h2>{escape(n)}</h2><pre>{escape(text)}</pre>\n" for n, text in texts),
        frames="".join(f"<h2>{escape(name)}</h2>{_frame(name, html)}\n" for name, html in frames),
    )


def sealed(html: str) -> str:
    """Make HTML fit for a sandboxed frame under POLICY: it opens no connections."""
    return NO_LOOKUPS + without_connections(html)


def _frame(name: str, html: str) -> str:
    inside = escape(sealed(html))
    return f'<iframe sandbox="{_SANDBOX}" title="{escape(name)}" srcdoc="{inside}"></iframe>'
