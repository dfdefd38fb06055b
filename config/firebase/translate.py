"""Each parameter of the extension → our variables.

As of firestore-send-email 0.2.8. What a parameter does there was read in its sources.
"""

from __future__ import annotations

import json
from typing import Any

from config import mailbox, mongodb_uri
from config.firebase import smtp_uri
from config.firebase.draft import Draft
from config.tls import TlsOptions


#: Ours alone, to begin with.
_SERVERS = {
    "MONGODB_URI": "mongodb://127.0.0.1:27017/?replicaSet=rs0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
}
_COLLECTIONS = ("MAIL_COLLECTION", "USERS_COLLECTION", "TEMPLATES_COLLECTION")
_OAUTH = {
    "HOST": "OAUTH_HOST",
    "OAUTH_PORT": "OAUTH_PORT",
    "OAUTH_SECURE": "OAUTH_SECURE",
    "USER": "OAUTH_USER",
    "CLIENT_ID": "CLIENT_ID",
    "CLIENT_SECRET": "CLIENT_SECRET",
    "REFRESH_TOKEN": "REFRESH_TOKEN",
}
#: The ends of hosts whose token endpoint we know by ourselves.
_KNOWN_TO_US = ("gmail.com", "googlemail.com", "office365.com", "outlook.com")
_EVENTS = ("EVENTARC_CHANNEL", "ALLOWED_EVENT_TYPES", "EXT_SELECTED_EVENTS")
_PLACES = ("DATABASE_REGION", "LOCATION")
_FUNCTION = "firebaseextensions."
_KNOWN = {
    *("DATABASE", "AUTH_TYPE", "SMTP_CONNECTION_URI", "SMTP_PASSWORD", "TLS_OPTIONS"),
    *("DEFAULT_FROM", "DEFAULT_REPLY_TO", "TTL_EXPIRE_TYPE", "TTL_EXPIRE_VALUE"),
    *_COLLECTIONS, *_OAUTH, *_EVENTS, *_PLACES,
}  # fmt: skip


def translate(parameters: dict[str, str]) -> Draft:
    """Make our environment file of the extension's parameters; empty ones count as not set."""
    given = {name: value for name, value in parameters.items() if value}
    draft = Draft()
    draft.comment("Where MongoDB and Redis are; Firebase has no counterpart.")
    for variable, example in _SERVERS.items():
        draft.set(variable, example)
    draft.remark("MONGODB_URI, CELERY_BROKER_URL", "are examples: say where your servers are")
    _database(given, draft)
    draft.comment("From the extension.")
    if given.get("AUTH_TYPE") == "OAuth2":
        _oauth2(given, draft)
        tls: dict[str, Any] = {}
    else:
        tls = _smtp(given, draft)
    _tls(given.get("TLS_OPTIONS"), tls, draft)
    _mails(given, draft)
    _ttl(given, draft)
    _without_counterpart(given, draft)
    return draft


def _database(given: dict[str, str], draft: Draft) -> None:
    name = given.get("DATABASE", "(default)")
    if name != "(default)":
        draft.set_checked("MONGODB_DATABASE", name, mongodb_uri.check_database)


def _smtp(given: dict[str, str], draft: Draft) -> dict[str, Any]:
    kind = given.get("AUTH_TYPE", "UsernamePassword")
    if kind != "UsernamePassword":
        draft.remark("AUTH_TYPE", f"{kind} is not known: taken for UsernamePassword")
    uri = given.get("SMTP_CONNECTION_URI")
    if uri is None:
        draft.remark("SMTP_CONNECTION_URI", "is missing")
        return {}
    return smtp_uri.translate(uri, given.get("SMTP_PASSWORD", ""), draft)


def _oauth2(given: dict[str, str], draft: Draft) -> None:
    draft.set("AUTH_TYPE", "OAuth2")
    for name, variable in _OAUTH.items():
        if name in given:
            draft.set(variable, given[name])
    host = given.get("HOST", "")
    if not f".{host}".endswith(tuple(f".{end}" for end in _KNOWN_TO_US)):
        draft.set("TOKEN_URL", "google")
        draft.remark("TOKEN_URL", "is Google's, which is the only one the extension knows")
    renamed = "HOST is OAUTH_HOST, USER is OAUTH_USER: every shell has a USER"
    draft.remark("HOST, USER", f"have other names here: {renamed}")
    if "SMTP_CONNECTION_URI" in given:
        draft.remark("SMTP_CONNECTION_URI", "is not used with AUTH_TYPE=OAuth2: left out")


def _tls(text: str | None, from_uri: dict[str, Any], draft: Draft) -> None:
    try:
        options = json.loads(text or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):
        draft.remark(
            "TLS_OPTIONS",
            "is no JSON map: the extension then checks no certificate. Here they are checked",
        )
        options = {}
    options = {**from_uri, **options}
    kept = {name: value for name, value in options.items() if _is_ours(name, value)}
    for name in options.keys() - kept.keys():
        draft.remark("TLS_OPTIONS", f"{name} has no counterpart, or this value of it: left out")
    if kept:
        draft.set("TLS_OPTIONS", json.dumps(kept, ensure_ascii=False))


def _is_ours(name: str, value: Any) -> bool:
    try:
        TlsOptions.model_validate({name: value})
    except ValueError:
        return False
    return True


def _mails(given: dict[str, str], draft: Draft) -> None:
    for variable in _COLLECTIONS:
        if variable in given:
            _collection(variable, given[variable], draft)
    for variable in ("DEFAULT_FROM", "DEFAULT_REPLY_TO"):
        if variable in given:
            draft.set_checked(variable, _mailbox(given[variable]), mailbox.check)
    if "DEFAULT_FROM" not in given:
        draft.remark("DEFAULT_FROM", "is missing, and needed")


def _collection(variable: str, path: str, draft: Draft) -> None:
    name = path.strip("/").replace("/", ".")
    if "/" in path:
        draft.remark(variable, f"MongoDB has no collections below documents: {name}")
    draft.set_checked(variable, name, mongodb_uri.check_collection)


def _mailbox(text: str) -> str:
    """Put a name into quotes where only that makes it one mailbox."""
    try:
        mailbox.check(text)
    except ValueError:
        name, bracket, address = text.strip().rpartition("<")
        name = name.strip().strip('"').replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}" <{address}' if bracket else text
    return text


def _ttl(given: dict[str, str], draft: Draft) -> None:
    kind = given.get("TTL_EXPIRE_TYPE", "never")
    if kind == "never":
        return
    draft.set("TTL_EXPIRE_TYPE", kind)
    draft.set("TTL_EXPIRE_VALUE", given.get("TTL_EXPIRE_VALUE", "1"))
    draft.remark(
        "TTL_EXPIRE_TYPE",
        "counts from the mail's end, not its beginning; a month is 30 days, a year 365; mails that"
        " wait are kept. MongoDB deletes them itself, without a TTL policy of yours",
    )


def _without_counterpart(given: dict[str, str], draft: Draft) -> None:
    for name in given:
        if name in _PLACES:
            draft.remark(name, "has no counterpart: workers run where you start them")
        elif name in _EVENTS:
            draft.remark(
                name, "has no counterpart: events go by HTTP, see EVENTS_URL and EVENTS_TYPES"
            )
        elif name.startswith(_FUNCTION):
            draft.remark(name, "has no counterpart: see WORKER_CONCURRENCY and WORKER_POOL")
        elif name not in _KNOWN:
            draft.remark(name, "is no parameter of the extension that we know: left out")
