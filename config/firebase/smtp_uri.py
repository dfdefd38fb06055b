"""SMTP_CONNECTION_URI, as the extension understood it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from config import hosts, smtp
from config.firebase.draft import Draft


#: The user ends at the last @: the extension's own example is smtps://me@gmail.com@smtp.gmail.com:465.
_URI = re.compile(
    r"(?P<scheme>smtps?)://((?P<user>[^/?]*)@)?(?P<host>[^@/?:]+|\[[^\]]+\])(:(?P<port>\d+))?/?"
    r"(\?(?P<query>.*))?"
)
_MICROSOFT = re.compile(r"outlook|office365|hotmail")
_SENDGRID = "smtp.sendgrid.net"
_OURS = ("name", "requireTLS")
_TLS = "tls."


def translate(uri: str, password: str, draft: Draft) -> dict[str, Any]:
    """Write SMTP_CONNECTION_URI and SMTP_PASSWORD; return the TLS options that the URI has."""
    match = _URI.fullmatch(uri.strip())
    if match is None:
        draft.lines.append(f"#SMTP_CONNECTION_URI={uri}")
        draft.remark("SMTP_CONNECTION_URI", "is not smtp[s]://user@host:port: correct it")
        return {}
    user, _, inside = (match["user"] or "").partition(":")
    # The extension encodes the URI's password once more: it is meant as it stands there.
    password = password or inside
    if inside:
        draft.remark("SMTP_CONNECTION_URI", "held the password; it is SMTP_PASSWORD now")
    user = _user(unquote(user), match["host"], password, draft)
    options, tls = _options(match["query"] or "", match["host"], draft, with_user=bool(user))
    login = f"{quote(user, safe='')}@" if user else ""
    ours = f"{_server(match, login, draft)}{f'?{urlencode(options)}' if options else ''}"
    draft.set_checked(
        "SMTP_CONNECTION_URI", ours, lambda text: smtp.parse(text, "x" if user else None)
    )
    if user and not password:
        draft.remark("SMTP_PASSWORD", "is missing: the server will ask for it")
    elif user:
        draft.set("SMTP_PASSWORD", password)
        _remark_password(match["scheme"], match["host"], draft)
    elif password:
        draft.remark("SMTP_PASSWORD", "is not used without a user in SMTP_CONNECTION_URI: left out")
    return tls


def _user(user: str, host: str, password: str, draft: Draft) -> str:
    if host.lower() != _SENDGRID or not password:
        return user
    if user != "apikey":
        draft.remark("SMTP_CONNECTION_URI", "names no user that SendGrid knows: it is apikey now")
    return "apikey"


def _server(match: re.Match[str], login: str, draft: Draft) -> str:
    scheme, host, port = match["scheme"], match["host"], match["port"]
    if _MICROSOFT.search(host.lower()):
        draft.remark(
            "SMTP_CONNECTION_URI",
            f"the extension used smtp-mail.outlook.com:587 in place of {host}:{port or ''}, and"
            " no TLS_OPTIONS; here the host of the URI counts, by STARTTLS at port 587",
        )
        scheme, port = "smtp", "587"
    return f"{scheme}://{login}{host}{f':{port}' if port else ''}"


def _options(
    query: str, host: str, draft: Draft, *, with_user: bool
) -> tuple[dict[str, str], dict[str, Any]]:
    """Sort nodemailer's options in the URI: those we know, those of TLS_OPTIONS."""
    options: dict[str, str] = {}
    tls: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        in_clear = name == "requireTLS" and value != "true" and with_user
        if name.startswith(_TLS):
            tls[name.removeprefix(_TLS)] = _json(value)
        elif name in _OURS and not (in_clear and not hosts.is_loopback(host)):
            options[name] = value
        else:
            draft.remark("SMTP_CONNECTION_URI", f"its option {name} has no counterpart: left out")
    return options, tls


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _remark_password(scheme: str, host: str, draft: Draft) -> None:
    if scheme == "smtp" and not hosts.is_loopback(host):
        draft.remark(
            "SMTP_CONNECTION_URI",
            "the extension would send the password in clear to a server without STARTTLS; here it"
            " is an error",
        )
