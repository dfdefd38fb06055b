"""Message-ID: the document's own, or one derived from its `_id`.

The same document always gets the same id, so that a receiver can drop a mail that came twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions


#: The left and the right part, printable ASCII without what ends a message id (RFC 5322 3.6.4).
_MESSAGE_ID = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
_MAX_LENGTH = 900

_OPTIONS: CodecOptions[Mapping[str, Any]] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD
)


def given(text: str) -> str:
    """Check a Message-ID and put it in angle brackets; raises ValueError."""
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not _MESSAGE_ID.fullmatch(text) or len(text) > _MAX_LENGTH:
        raise ValueError("must look like <id@example.com>: printable ASCII with one @, no spaces")
    return f"<{text}>"


def derived(id: Any, domain: str, namespace: str) -> str:
    """Derive a Message-ID from an `_id` of any BSON type; raises ValueError if it is none.

    BSON keeps the types apart: the string "5" and the number 5 get different ids. `namespace`
    keeps the collections apart, in which the same `_id` may stand for another mail.
    """
    try:
        encoded = bson.encode({"_id": id}, codec_options=_OPTIONS)
    except (bson.errors.BSONError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError("cannot be written as BSON") from error
    digest = hashlib.sha256(namespace.encode() + b"\0" + encoded).digest()
    return f"<{digest[:16].hex()}@{domain}>"
