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
from tasks.mail.dkim import Signer
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

    A mail that is signed (DKIM) is in ASCII from the start, but for addresses: a server on its way
    that has to encode 8bit would break the signature (RFC 6376 section 5.3).
    """
    if defaults.letters:
        return _letter(reading.read(document, defaults, now, gathered, letters.check), defaults)
    mail = reading.read(document, defaults, now, gathered)
    sender = mail.originators.sender[0].address
    write = _Writer(mail, now, defaults.signers.of(sender))
    content = write()
    _check_size(len(content), defaults.max_message_bytes)
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
        seven_bit=(partial(write, seven_bit=True) if has_8bit and mail.can_be_seven_bit else None),
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


class _Writer:
    """Writes the mail's bytes, in either form, and signs them: nothing changes them any more."""

    def __init__(self, mail: Reading, now: datetime, signer: Signer | None) -> None:
        self._mail = mail
        self._now = now
        self._signer = signer
        self._boundary = secrets.token_hex(12)

    def __call__(self, *, seven_bit: bool = False) -> bytes:
        mail, now, signer = self._mail, self._now, self._signer
        encoded = seven_bit or signer is not None
        body = tree(mail.bodies, mail.attached, self._boundary, seven_bit=encoded)
        content = b"".join((head(mail, now, seven_bit=seven_bit), *body.chunks()))
        if not content.endswith(b"\r\n"):
            content += b"\r\n"
        return content if signer is None else signer.sign(content, now) + content
