"""The HTML of a mail, in which nothing opens a connection: for previews and the console."""

from __future__ import annotations

import re


#: No policy keeps a link element from opening connections (preconnect, dns-prefetch), or these from
#: being followed. For a frame Chromium opens one before it asks the policy.
_CONNECTING = re.compile(r"<(?=(?:link|i?frame|frameset|object|embed|meta|base)\b)", re.IGNORECASE)


def without_connections(html: str) -> str:
    """Rename the elements that connect by themselves, whatever the page's policy says."""
    return _CONNECTING.sub("<no-", html)
