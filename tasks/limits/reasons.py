"""What a mail waits for, as `delivery.waitsFor` says it; some of it is read again when it comes."""

from __future__ import annotations

from tasks.limits.limits import Limit


#: Seconds after which a mail whose server is away may be looked at again; as long as the circuit is
#: open the watcher leaves it where it is.
LOOK_AGAIN = 1.0
#: Begins the name of every setting that is a limit.
_TURN = "RATE_LIMIT"


def turn(limit: Limit) -> str:
    """Say so of a mail that has been told when to come again."""
    return limit.setting


def long_queue(limit: Limit) -> str:
    """Say so of a mail that comes again by chance: too many wait before it."""
    return f"a turn by {turn(limit)}"


def had_turn(waits_for: object) -> bool:
    """Tell whether a mail with this `waitsFor` comes because its turn is near."""
    return isinstance(waits_for, str) and waits_for.startswith(_TURN)


def redis() -> str:
    """Say so of a mail whose limits cannot be looked up."""
    return "Redis, which counts what RATE_LIMIT and RATE_LIMIT_DOMAINS allow"


def pause(domain: str) -> str:
    """Say so of a mail to a domain that asked for fewer."""
    return f"{domain}, which asked for fewer mails"


def connection(server: object) -> str:
    """Say so of a mail whose server is away."""
    return f"a connection to {server}"


def kind(why: str) -> str:
    """Tell what sort of reason it is, as the metrics have it."""
    if had_turn(why) or why.startswith("a turn by "):
        return "rate_limit"
    if why == redis():
        return "redis"
    if why.startswith("a connection to "):
        return "connection"
    return "pause" if why.endswith(", which asked for fewer mails") else "other"
