"""Mails as JSON, for the page and for tests; names as in the documents, camelCase."""

from __future__ import annotations

from typing import Any

from local.inbox import headers
from local.inbox.message import Parsed, Part
from local.inbox.store import Entry


Json = dict[str, Any]


def line(entry: Entry) -> Json:
    """Show a mail's line in the list."""
    return {
        "id": entry.id,
        "receivedAt": entry.received_at,
        "from": headers.Address(entry.sender_name, entry.sender_address).as_json(),
        "recipients": list(entry.envelope.recipients),
        "subject": entry.subject,
        "messageId": entry.message_id,
        "snippet": entry.snippet,
        "attachmentCount": entry.attachments,
        "size": entry.size,
    }


def mail(entry: Entry, parsed: Parsed) -> Json:
    """Show a mail with everything in it but the attachments' content."""
    message = parsed.message
    lists = {
        name: [address.as_json() for address in headers.addresses(message, field)]
        for name, field in (("to", "To"), ("cc", "Cc"), ("replyTo", "Reply-To"))
    }
    return {
        **line(entry),
        **lists,
        "envelope": {
            "from": entry.envelope.sender,
            "to": list(entry.envelope.recipients),
            "smtputf8": entry.envelope.smtputf8,
        },
        "date": headers.value(message, "Date"),
        "headers": [[name, value] for name, value in headers.fields(message)],
        "text": parsed.text,
        "html": parsed.html,
        "attachments": [_attachment(part) for part in parsed.parts],
    }


def _attachment(part: Part) -> Json:
    return {
        "filename": part.filename,
        "contentType": part.content_type,
        "size": len(part.content),
        "cid": part.cid,
        "inline": part.inline,
    }
