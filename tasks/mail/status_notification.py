"""`dsn`: whether the servers on the way say what became of the mail (RFC 3461)."""

from __future__ import annotations

from tasks.envelope import Dsn
from tasks.mail.fields import lines
from tasks.mail.problems import Problems
from tasks.mail.schema import StatusNotification


_NOTIFY = ("never", "success", "failure", "delay")
#: nodemailer knows two words for each.
_RETURN = {"headers": "HDRS", "hdrs": "HDRS", "full": "FULL", "body": "FULL"}
#: RFC 3461 section 4.4, encoded: these take three characters.
_MAX_ID, _ENCODED = 100, " +="


def read(given: StatusNotification | None, problems: Problems) -> Dsn | None:
    """Check it; None when nothing is asked for."""
    if given is None:
        return None
    notify = tuple(dict.fromkeys(word.strip().lower() for word in lines(given.notify)))
    if not set(notify) <= set(_NOTIFY):
        problems.add("dsn.notify", f"must be of {', '.join(_NOTIFY)}")
    elif "never" in notify and len(notify) > 1:
        problems.add("dsn.notify", "must not have anything beside never")
    what = (given.returns or "").strip().lower()
    if what and what not in _RETURN:
        problems.add("dsn.return", "must be headers or full")
    id = given.id or ""
    length = len(id) + 2 * sum(id.count(character) for character in _ENCODED)
    if not id.isascii() or not id.isprintable() or length > _MAX_ID:
        problems.add(
            "dsn.id",
            f"must be at most {_MAX_ID} printable ASCII characters; space, + and = count as three",
        )
    if not (notify or what or id):
        return None
    return Dsn(tuple(map(str.upper, notify)), _RETURN.get(what), id or None)
