"""Mails such as a shop sends, in every state, for people to look at; and a hostile one."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId


_NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Katherine", "Donald", "Radia", "Tim")
_SUBJECTS = (
    "Your order {n} is on its way",
    "Reset your password",
    "Invoice {n}",
    "Your code is {n}",
    "Welcome to Example Shop",
    "We have received your payment for order {n}",
)
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"


def shop(count: int, now: datetime, every: float = 11) -> list[dict[str, Any]]:
    """Make mails that went in one after the other, `every` so many seconds."""
    return [_mail(number, now - timedelta(seconds=4 + number * every)) for number in range(count)]


def _mail(number: int, start: datetime) -> dict[str, Any]:
    name = _NAMES[number % len(_NAMES)]
    address = f"{name.lower()}.{number % 50}@example.com"
    mail: dict[str, Any] = {
        "_id": ObjectId.from_datetime(start - timedelta(milliseconds=500)),
        "to": f"{name} <{address}>",
        "message": {
            "subject": _SUBJECTS[number % len(_SUBJECTS)].format(n=10_000 + number),
            "text": f"Dear {name},\n\nthank you.\n\nYours, Example Shop",
            "html": f'<p style="color:#0f766e">Dear {name},</p><p><b>thank you.</b></p>'
            '<img src="cid:logo" alt="logo" width="40"><p>Yours, Example Shop</p>',
            "attachments": [
                {"filename": "logo.png", "cid": "logo", "content": _png(), "encoding": "base64"}
            ],
        },
        "delivery": delivery(start, number, address),
    }
    if number % 9 == 4:
        mail["priority"] = "high"
    return mail


def delivery(start: datetime, number: int, address: str) -> dict[str, Any]:
    """Make a `delivery` as a worker leaves it; every 13th failed, every 40th in doubt."""
    end = start + timedelta(milliseconds=20 + (number * 37) % 900 + (number % 17 == 0) * 4000)
    worker = f"mail-1:{4000 + number % 3}:0a1b2c3d4e{number % 90:02d}"
    done: dict[str, Any] = {
        "state": "SUCCESS",
        "startTime": start,
        "endTime": end,
        "error": None,
        "attempts": 1,
        "leaseExpireTime": None,
        "worker": worker,
        "info": {
            "messageId": f"<{number}.7f@example.com>",
            "accepted": [address],
            "rejected": [],
            "pending": [],
            "response": f"250 2.0.0 Ok: queued as 4D1F{number:03X}",
        },
    }
    if number < 2:
        state = ("PENDING", "PROCESSING")[number]
        waits = {"waitsFor": "RATE_LIMIT"} if number == 0 else {"phase": "SENDING"}
        return done | {"state": state, "endTime": None, "info": None, **waits}
    if number % 40 == 7:
        error = "Message processing lease expired."
        return done | {"state": "ERROR", "error": error, "inDoubt": True, "info": None}
    if number % 13 == 5:
        words = f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        info = {**done["info"], "accepted": [], "rejected": [address], "response": words}
        errors = [{"recipient": address, "code": 550, "response": words}]
        error = f"no recipient was accepted: {words}"
        return done | {"state": "ERROR", "error": error, "info": info, "errors": errors}
    return done


def hostile(now: datetime) -> dict[str, Any]:
    """Make a mail of which every value is an attack."""
    return {
        "_id": f"{HOSTILE}'\"/../../?a=b&c#d",
        "to": HOSTILE,
        "cc": [HOSTILE, "javascript:alert(1)"],
        "transport": HOSTILE,
        "priority": HOSTILE,
        "template": {"name": HOSTILE},
        "message": {
            "subject": f"{HOSTILE}\u202egnp.exe",
            "text": HOSTILE,
            "html": f"{HOSTILE}<meta http-equiv=refresh content='0;url=https://example.com/'>"
            "<form action=/logout method=post><button>x</button></form>"
            "<img src=https://tracker.invalid/x.png><a href='javascript:top.x=1'>y</a>"
            "<style>body{background:url(https://tracker.invalid/y.png)}</style>",
            "attachments": [{"filename": HOSTILE}, {"cid": 7}, 8],
        },
        "delivery": {
            "state": "ERROR",
            "startTime": now,
            "endTime": now,
            "error": HOSTILE,
            "attempts": 99,
            "waitsFor": HOSTILE,
            "worker": f"{HOSTILE}:1:{HOSTILE}",
            "info": {"messageId": HOSTILE, "response": HOSTILE, "rejected": [HOSTILE]},
            "errors": [{"recipient": HOSTILE, "code": HOSTILE, "response": HOSTILE}],
        },
    }


def hostile_template() -> dict[str, Any]:
    """Make a template of which every value is an attack."""
    html = (
        f"{HOSTILE}<img src=https://tracker.invalid/x.png><form action=/logout><button>x</button>"
    )
    fields = {"subject": HOSTILE, "text": HOSTILE, "html": html, "attachments": [{"cid": HOSTILE}]}
    return {
        "_id": "hostile",
        "name": f"{HOSTILE}'&name=welcome",
        **fields,
        "sample": {"a": HOSTILE},
    }


def _png() -> str:
    """Draw a small square."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    pixels = b"".join(b"\0" + b"\x0f\x76\x6e" * 8 for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    png += chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()
