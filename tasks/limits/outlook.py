"""How many more mails the workers could send, as the watcher has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import redis

from config.settings import Settings
from tasks.limits import keys, scripts
from tasks.limits.limits import Limits


class Circuit(IntEnum):
    """Whether any server can be reached."""

    CLOSED = 0  #: it seems so
    OPEN = 1  #: it seems not
    HALF_OPEN = 2  #: it is time to try


@dataclass(frozen=True, slots=True)
class Outlook:
    """What Redis says; seconds from now."""

    circuit: Circuit
    #: To the last turn of those that go first.
    first_ahead: float = 0.0
    #: To the last turn of all.
    ahead: float = 0.0
    #: Slots that are free at once.
    free: int = 0


class Lookout:
    """Asks Redis; raises redis.RedisError.

    One among several transports holds up nobody else's mails: they are away when all are, and a
    limit of one is nothing to look at.
    """

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._script = client.register_script(scripts.read("outlook"))
        names = [each.name for each in settings.transports]
        self._keys = [key for name in names for key in keys.circuit(settings.broker_prefix, name)]
        self._arguments: list[Any] = [settings.circuit_failures, len(names)]
        #: The one that holds for every mail.
        self.limit = limit = Limits(settings).transport if len(names) == 1 else None
        self._asks_nobody = limit is None and not settings.circuit_failures
        if limit is not None:
            self._keys += [limit.log, limit.line]
            self._arguments += [limit.rate.count, round(limit.window * 1e6)]

    def look(self) -> Outlook:
        """Tell how it is now; nobody is asked where there is neither limit nor circuit."""
        if self._asks_nobody:
            return Outlook(Circuit.CLOSED)
        circuit, first_ahead, ahead, free = self._script(keys=self._keys, args=self._arguments)
        return Outlook(Circuit(circuit), first_ahead / 1e6, ahead / 1e6, free)
