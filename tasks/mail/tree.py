"""The tree of a mail's parts: what stands inside what (RFC 2046 5.1, RFC 2387)."""

from __future__ import annotations

from tasks.mail.attachments import AttachedParts
from tasks.mail.bodies import text_part
from tasks.mail.parts import Multipart, Part


def tree(
    text: str, html: str, attached: AttachedParts, boundary: str, *, seven_bit: bool = False
) -> Part:
    """Arrange text, HTML and attachments; an empty text or HTML is left out.

        mixed
        ├── alternative
        │   ├── text/plain
        │   └── related
        │       ├── text/html
        │       └── inline attachments
        └── attachments

    A multipart with one part gives way to that part. `boundary` must not occur in any part.
    """
    shown: list[Part] = []
    files = attached.attached
    if text:
        shown.append(text_part(text, "plain", seven_bit=seven_bit))
    if html:
        page = text_part(html, "html", seven_bit=seven_bit)
        shown.append(_join("related", boundary, (page, *attached.inline)))
    else:
        files = (*attached.inline, *files)  # nothing refers to them
    body = _join("alternative", boundary, tuple(shown))
    return _join("mixed", boundary, (body, *files))


def _join(subtype: str, boundary: str, parts: tuple[Part, ...]) -> Part:
    if len(parts) == 1:
        return parts[0]
    # "=_" occurs in neither quoted-printable nor base64 (RFC 2045 6.7 suggests it).
    return Multipart(subtype, f"=_{subtype}_{boundary}", parts)
