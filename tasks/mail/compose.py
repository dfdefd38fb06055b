"""A document → a mail: who gets it, and the bytes they get."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from tasks.envelope import Mail
from tasks.errors import Permanent
from tasks.mail import letters, reading
from tasks.mail.defaults import Defaults
from tasks.mail.gathered import NOTHING, Gathered
from tasks.mail.head import head
from tasks.mail.reading import Reading
from tasks.mail.tree import tree


def compose(
    document: Mapping[str, Any],
    defaults: Defaults,
    *,
    now: datetime,
    gathered: Gathered = NOTHING,
) -> Mail:
    """Make the mail a document asks for. `now` (aware) becomes its date.

    `gathered`: what `wanted(document)` asked for; most documents need nothing.

    Raises InvalidDocument with every problem found, or Permanent when deliverBefore has passed or
    the mail is too large, Transient when something could not be gathered for now; never anything
    else, whatever the document holds.

    Where the mail's content is not ASCII, its `seven_bit` gives the same mail in ASCII; addresses
    that need SMTPUTF8 then stand in the headers in the form of RFC 6857, to be read but not to be
    answered. There is none when the document brings parts in 8bit that must stay as they are
    (`raw`).
    """
    if defaults.letters:
        return _letter(reading.read(document, defaults, now, gathered, letters.check), defaults)
    mail = reading.read(document, defaults, now, gathered)
    boundary = secrets.token_hex(12)
    content = _content(mail, now, boundary)
    _check_size(len(content), defaults.max_message_bytes)
    sender = mail.originators.sender[0].address
    envelope = mail.recipients.envelope
    has_8bit = not content.isascii()
    return Mail(
        sender=sender,
        recipients=envelope,
        content=content,
        message_id=mail.message_id,
        rejected=mail.recipients.rejected,
        missing_uids=mail.recipients.missing_uids,
        dsn=mail.dsn,
        transport=defaults.transport,
        smtputf8=mail.needs_smtputf8,
        has_8bit=has_8bit,
        seven_bit=(
            partial(_content, mail, now, boundary, seven_bit=True)
            if has_8bit and mail.can_be_seven_bit
            else None
        ),
    )


def _letter(mail: Reading, defaults: Defaults) -> Mail:
    letter = letters.write(mail)
    _check_size(letter.size, defaults.max_message_bytes)
    return Mail(
        sender=mail.originators.sender[0].address,
        recipients=mail.recipients.envelope,
        content=b"",
        message_id=mail.message_id,
        rejected=mail.recipients.rejected,
        missing_uids=mail.recipients.missing_uids,
        transport=defaults.transport,
        letter=letter,
    )


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise Permanent(f"message of {size} bytes is larger than MAX_MESSAGE_BYTES, {limit}")


def _content(mail: Reading, now: datetime, boundary: str, *, seven_bit: bool = False) -> bytes:
    """Write the mail's bytes, in either form: here they are finished, and can be signed."""
    body = tree(mail.bodies, mail.attached, boundary, seven_bit=seven_bit)
    content = b"".join((head(mail, now, seven_bit=seven_bit), *body.chunks()))
    return content if content.endswith(b"\r\n") else content + b"\r\n"
