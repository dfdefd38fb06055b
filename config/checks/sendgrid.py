"""SendGrid: whether its API answers, and the key lets us send."""

from __future__ import annotations

import json
import time

from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.sendgrid import SendGridApi
from config.web_api import NoAnswer, WebApi


_SUBJECT = "SendGrid"
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403
_SCOPE = "mail.send"


def check(api: SendGridApi) -> list[Finding]:
    """Ask what the key is good for; send nothing."""
    web = WebApi()
    headers = {"Host": api.host, "Authorization": f"Bearer {api.key}"}
    try:
        answer = web.get(api.at("/v3/scopes"), headers, time.monotonic() + TIMEOUT_SECONDS)
    except NoAnswer as error:
        advice = "is SENDGRID_API_URL right, does a firewall stand between?"
        return [Finding(_SUBJECT, Level.FAILED, f"{api} {error}", advice)]
    finally:
        web.close()
    if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
        return [Finding(_SUBJECT, Level.FAILED, "refused the key", f"check {api.variable}")]
    if answer.status != _OK:
        return [Finding(_SUBJECT, Level.FAILED, f"{api} answers with HTTP {answer.status}")]
    if _SCOPE not in _scopes(answer.body):
        advice = f"give the key of {api.variable} the right Mail Send"
        return [Finding(_SUBJECT, Level.FAILED, "knows the key, which may not send", advice)]
    return [Finding(_SUBJECT, Level.OK, f"{api} answers, and the key may send")]


def _scopes(body: bytes) -> list[object]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    scopes = found.get("scopes") if isinstance(found, dict) else None
    return scopes if isinstance(scopes, list) else []
