"""The tree of a mail's parts: what stands inside what (RFC 2046 5.1, RFC 2387)."""

from __future__ import annotations

from tasks.mail.attachments import AttachedParts
from tasks.mail.bodies import Bodies, Text, text_part
from tasks.mail.parts import Multipart, Part


def tree(
    bodies: Bodies, attached: AttachedParts, boundary: str, *, seven_bit: bool = False
) -> Part:
    """Arrange the forms of the text and the attachments; what is empty is left out.

        mixed
        ├── alternative
        │   ├── text/plain
        │   ├── text/x-amp-html
        │   ├── related
        │   │   ├── text/html
        │   │   └── inline attachments
        │   ├── text/calendar
        │   └── further alternatives
        └── attachments

    A multipart with one part gives way to that part. `boundary` must not occur in any part.
    """
    shown: list[Part] = []
    files = attached.attached
    if bodies.text:
        shown.append(text_part(bodies.text, "plain", seven_bit=seven_bit))
    if bodies.amp:
        # Before the HTML: many programs show the last part, whether they know AMP or not.
        shown.append(text_part(bodies.amp, "x-amp-html", seven_bit=seven_bit))
    if bodies.html:
        page = text_part(bodies.html, "html", seven_bit=seven_bit)
        shown.append(_join("related", boundary, (page, *attached.inline)))
    else:
        files = (*attached.inline, *files)  # nothing refers to them
    shown += [
        other.part(seven_bit=seven_bit) if isinstance(other, Text) else other
        for other in bodies.others
    ]
    body = _join("alternative", boundary, tuple(shown))
    return _join("mixed", boundary, (body, *files))


def _join(subtype: str, boundary: str, parts: tuple[Part, ...]) -> Part:
    if len(parts) == 1:
        return parts[0]
    # "=_" occurs in neither quoted-printable nor base64 (RFC 2045 6.7 suggests it).
    return Multipart(subtype, f"=_{subtype}_{boundary}", parts)
