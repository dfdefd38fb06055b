"""MONGODB_URI and the names of database and collection, checked without asking the net."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from config.logs import redact


#: Beside the mails stand `<MAIL_COLLECTION>.watcher` (leader, resume token) and
#: `<MAIL_COLLECTION>.oversize` (documents without room for their `delivery`).
RESERVED_SUFFIXES = (".watcher", ".oversize")
#: They belong to the server itself.
SERVERS_OWN = ("admin", "local", "config")

_SHAPE = re.compile(
    r"mongodb(?P<srv>\+srv)?://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^:@/?#\s]*))?@)?"
    r"(?P<hosts>[^@/?#\s]+)"
    r"(?:/(?P<database>[^/?#@\s]*))?"
    r"(?:\?(?P<options>\S*))?"
)
#: Option values that are secrets: parts of their names, in lower case.
_SECRET_OPTIONS = ("password", "properties")
#: pymongo resolves a mongodb+srv URI by DNS when it takes it apart; as mongodb:// it does not,
#: but then these are unknown to it.
_ONLY_SRV = ("srvservicename", "srvmaxhosts")
_FOR_PROGRAMMERS = " Refer to docstring."
_MAX_DATABASE_BYTES = 63
#: A namespace (database, dot, collection) has at most 255 bytes, 235 when sharded.
_MAX_COLLECTION_BYTES = 160


@dataclass(frozen=True, slots=True)
class Parts:
    """A URI taken apart; names of options in lower case (they have no case)."""

    database: str | None
    options: dict[str, str] = field(repr=False)


def parse(uri: str) -> Parts:
    """Take a MongoDB URI apart; raises ValueError with a text that holds none of its secrets."""
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("must begin with mongodb:// or mongodb+srv://")
    match = _SHAPE.fullmatch(uri)
    if match is None:
        raise ValueError("is not a MongoDB URI; percent-encode : / ? # @ in user and password")
    options = {name.lower(): value for name, value in parse_qsl(match["options"] or "")}
    _check_with_driver(match, options)
    if options.get("w") == "0":
        raise ValueError("has w=0: a write that fails would go unnoticed")
    return Parts(database=unquote(match["database"] or "") or None, options=options)


def hidden(uri: str) -> str:
    """The URI with its secrets masked."""
    masked = redact(uri)
    names = "|".join(_SECRET_OPTIONS)
    return re.sub(rf"((?i:[?&][^=&]*(?:{names})[^=&]*)=)[^&]*", r"\1***", masked)


def check_database(name: str) -> None:
    """Raise ValueError when MongoDB takes no database of this name, or it is the server's own."""
    if name in SERVERS_OWN:
        raise ValueError(f"is {name}, which is the server's own database")
    if not name.isprintable() or set(name) & set('/\\. "$*<>:|?'):
        raise ValueError('must not hold / \\ . " $ * < > : | ? or a space')
    if len(name.encode()) > _MAX_DATABASE_BYTES:
        raise ValueError(f"must not be longer than {_MAX_DATABASE_BYTES} bytes")


def check_collection(name: str) -> None:
    """Raise ValueError when MongoDB takes no collection of this name, or it is not for mails."""
    if not name.isprintable() or "$" in name:
        raise ValueError("must not hold $ or a control character")
    if name.startswith((".", "system.")) or name.endswith(".") or ".." in name:
        raise ValueError(
            "must not begin with system. or a dot, end with a dot or hold two in a row"
        )
    if name.endswith(RESERVED_SUFFIXES):
        raise ValueError(f"must not end with {' or '.join(RESERVED_SUFFIXES)}: those are our own")
    if len(name.encode()) > _MAX_COLLECTION_BYTES:
        raise ValueError(f"must not be longer than {_MAX_COLLECTION_BYTES} bytes")


def _check_with_driver(match: re.Match[str], options: dict[str, str]) -> None:
    kept = "&".join(f"{name}={value}" for name, value in _pairs(match) if name not in _ONLY_SRV)
    if match["srv"] and re.search(r"[:,]", match["hosts"]):
        raise ValueError("begins with mongodb+srv:// and must name one host, without a port")
    plain = f"mongodb://{match['hosts']}/?{kept}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            parse_uri(plain)
    except (PyMongoError, ValueError, OSError, UserWarning) as error:
        raise ValueError(_safe(str(error), options)) from None


def _pairs(match: re.Match[str]) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in (match["options"] or "").split("&") if pair)
    return [(name.lower(), value) for name, _, value in pairs]


def _safe(text: str, options: dict[str, str]) -> str:
    secrets = [value for name, value in options.items() if any(s in name for s in _SECRET_OPTIONS)]
    if any(secret in text for secret in secrets if secret):
        return "has an option with an invalid value"
    return f"is not valid: {text.removesuffix(_FOR_PROGRAMMERS)}"
