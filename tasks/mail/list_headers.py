"""`list` → the header lines of mailing lists: how to leave it (RFC 2369, RFC 8058), and its id."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tasks.mail import addresses, headers
from tasks.mail.addresses import InvalidAddress
from tasks.mail.custom_headers import CustomHeaders
from tasks.mail.fields import lines
from tasks.mail.problems import Problems, path
from tasks.mail.schema import ListHeaders


#: Printable ASCII but for what ends it (RFC 2369 section 2).
_URL = re.compile(r"(https?|mailto):[!-;=?-~]+", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://[^/?#]+.*", re.IGNORECASE)

#: RFC 2919 section 2: a label and the domain of whoever runs the list, without any check of it.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ID = re.compile(rf"{_ATOM}(?:\.{_ATOM})+")
_MAX_ID = 255


def read(given: ListHeaders | None, custom: CustomHeaders, problems: Problems) -> list[str]:
    """Write the lines; what is wrong with the fields goes into `problems`."""
    if given is None:
        return []
    reader = _Reader(given, problems)
    written = [*reader.unsubscribe(), *reader.id()]
    for field, name in (("unsubscribe", "List-Unsubscribe"), ("id", "List-Id")):
        if any(line.startswith(f"{name}:") for line in written) and name.lower() in custom.names:
            problems.add(path("headers", name), f"stands beside list.{field}: give one of them")
    return written


class _Reader:
    """Reads the fields; a faulty one is noted and reading goes on, to find the others."""

    def __init__(self, given: ListHeaders, problems: Problems) -> None:
        self._given = given
        self._problems = problems

    def unsubscribe(self) -> list[str]:
        urls = [url for url in map(str.strip, lines(self._given.unsubscribe)) if url]
        faults = [fault for fault in map(_fault, urls) if fault]
        for fault in faults:
            self._problems.add("list.unsubscribe", fault)
        if self._given.one_click and not faults and not _is_one_click(urls):
            # RFC 8058 section 3.1: mailto may stand beside it, no other URL of the web.
            self._problems.add("list.oneClick", "needs exactly one https URL in list.unsubscribe")
        if not urls or faults:
            return []
        try:
            written = [headers.verbatim("List-Unsubscribe", ", ".join(f"<{url}>" for url in urls))]
        except ValueError as error:
            self._problems.add("list.unsubscribe", str(error))
            return []
        if self._given.one_click:
            written.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        return written

    def id(self) -> list[str]:
        text = (self._given.id or "").strip()
        if not text:
            return []
        name, bracket, id = text.removesuffix(">").rpartition("<")
        if bool(bracket) != text.endswith(">") or not _ID.fullmatch(id) or len(id) > _MAX_ID:
            self._problems.add(
                "list.id", 'must look like "news.example.com" or "Our news <news.example.com>"'
            )
            return []
        name = name.strip().strip('"')
        words = [*(headers.phrase(name) if name else []), f"<{id}>"]
        return [headers.fold("List-Id", [f" {word}" for word in words])]


def _fault(url: str) -> str | None:
    if not _URL.fullmatch(url):
        return "must be https, http or mailto URLs, in printable ASCII without spaces"
    if url[:7].lower() != "mailto:":
        return None if _WEB_URL.fullmatch(url) else "has a URL without a host"
    try:
        addresses.parse(unquote(url[7:].partition("?")[0]))
    except InvalidAddress as error:
        return f"has a mailto URL without a valid address: {error}"
    return None


def _is_one_click(urls: list[str]) -> bool:
    web = [url.lower() for url in urls if url[:7].lower() != "mailto:"]
    return len(web) == 1 and web[0].startswith("https:")
