"""A refresh token → an access token (RFC 6749 section 6)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from config.oauth2 import OAuth2Client
from config.web_api import Answer, NoAnswer, WebApi


#: Of what the endpoint says of an error, no more than this is repeated.
_SHOWN = 300
#: RFC 6749 5.1 only recommends to say how long a token lasts; most last an hour.
_USUAL_SECONDS = 3600.0
#: RFC 6750 2.1. Anything else could end the field that the token stands in.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
_OK = 200


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What the endpoint gave; `seconds`: how long it is good for, from when it was asked."""

    value: str = field(repr=False)
    seconds: float
    #: A new refresh token in place of the old one, which some providers give each time.
    refresh_token: str | None = field(default=None, repr=False)


class NoAccessToken(Exception):
    """There is none to be had; the text says why and holds no secret."""


def fetch(client: OAuth2Client, refresh_token: str, *, timeout: float) -> AccessToken:
    """Ask the endpoint for a new access token, for so many seconds; raises NoAccessToken."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client.client_id,
    }
    if client.client_secret:  # in the form: Google and Microsoft both document that
        form["client_secret"] = client.client_secret
    said = _post(client, urlencode(form).encode("ascii"), time.monotonic() + timeout)
    answer = _json_map(said.body)
    if said.status != _OK or "error" in answer:
        raise _refusal(client, said.status, answer, (refresh_token, client.client_secret))
    return _read(client, answer)


def _post(client: OAuth2Client, form: bytes, deadline: float) -> Answer:
    headers = {
        "Host": client.endpoint,
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(form)),
        "Accept": "application/json",
    }
    api = WebApi()  # asked once an hour: no connection is kept
    try:
        return api.post(client.token_url, headers, form, deadline)
    except NoAnswer as error:
        raise NoAccessToken(f"the token endpoint {client.endpoint} {error}") from error
    finally:
        api.close()


def _json_map(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _read(client: OAuth2Client, answer: dict[str, Any]) -> AccessToken:
    token, renewed = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoAccessToken(f"the answer of {client.endpoint} holds no access token")
    given = renewed if isinstance(renewed, str) and renewed else None
    return AccessToken(token, _seconds(answer.get("expires_in")), given)


def _seconds(given: object) -> float:
    """Read `expires_in`: a number, which some providers write as a string."""
    try:
        seconds = float(str(given))
    except ValueError:
        return _USUAL_SECONDS
    return seconds if 0 < seconds < float("inf") else _USUAL_SECONDS


def _refusal(
    client: OAuth2Client, status: int, answer: dict[str, Any], secrets: tuple[str | None, ...]
) -> NoAccessToken:
    code = str(answer.get("error", ""))
    said = _clean(f"{code}: {answer.get('error_description') or 'no more words'}", secrets)
    match code:
        case "invalid_grant":
            text = (
                f"{client.endpoint} does not accept REFRESH_TOKEN any more: it was revoked, or has"
                f" expired; a new one is needed ({said})"
            )
        case "invalid_client" | "unauthorized_client":
            text = f"{client.endpoint} does not accept CLIENT_ID with CLIENT_SECRET ({said})"
        case "":
            text = f"{client.endpoint} gave no access token: its answer was HTTP {status}"
        case _:
            text = f"{client.endpoint} gave no access token ({said})"
    return NoAccessToken(text)


def _clean(text: object, secrets: tuple[str | None, ...]) -> str:
    """One short line; nothing of an answer that repeats a secret to us."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    if any(secret and secret in line for secret in secrets):
        return "its words hold a secret"
    return line[:_SHOWN]
