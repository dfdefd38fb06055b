"""Signatures in the format of Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence


def headers(keys: Sequence[bytes], id: str, body: bytes, now: int) -> list[tuple[bytes, bytes]]:
    """Make the headers of one request; `now`: seconds since 1970. One signature for each key."""
    signed = b".".join([id.encode(), str(now).encode(), body])
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    signatures = b" ".join(b"v1," + base64.b64encode(digest) for digest in digests)
    return [
        (b"webhook-id", id.encode()),
        (b"webhook-timestamp", str(now).encode()),
        (b"webhook-signature", signatures),
    ]
