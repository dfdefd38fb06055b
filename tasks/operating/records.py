"""A mail as JSON: what `--json` prints, and docs/command-line.md explains."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.json_util import JSONMode, JSONOptions

from tasks.operating.mails import Mail


_RELAXED = JSONOptions(
    json_mode=JSONMode.RELAXED,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def of_mail(mail: Mail) -> dict[str, Any]:
    """Make a record of what stands in a mail's document, without bodies."""
    return {
        "id": mail.name,
        "state": mail.state,
        "startTime": moment(mail.start),
        "endTime": moment(mail.end),
        "recipients": list(mail.recipients),
        "uids": mail.uids,
        "subject": mail.subject,
        "template": mail.template,
        "transport": mail.transport,
        "priority": mail.priority,
        "attempts": mail.attempts,
        "error": mail.error,
        "inDoubt": mail.in_doubt,
        "waitsFor": mail.waits_for,
        "nextAttemptTime": moment(mail.next_attempt),
        "messageId": mail.message_id,
        "response": mail.response,
        "answers": [
            {
                "recipient": each.recipient,
                "outcome": each.outcome,
                "code": each.code,
                "response": each.response,
            }
            for each in mail.answers
        ],
        "worker": mail.worker,
        "phase": mail.phase,
        "leaseExpireTime": moment(mail.lease_until),
    }


def of_document(document: Any) -> Any:
    """Make JSON of any BSON value (MongoDB's relaxed Extended JSON)."""
    return json.loads(json_util.dumps(document, json_options=_RELAXED))


def moment(time: datetime | None) -> str | None:
    """Write a time as in 2026-03-01T12:00:00.000Z."""
    if time is None:
        return None
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
