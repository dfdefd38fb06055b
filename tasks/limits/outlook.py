"""How many more mails the workers could send, as the watcher has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import redis

from config.named_transports import DEFAULT
from config.settings import Settings
from tasks.limits import keys, scripts
from tasks.limits.limits import Limits


class Circuit(IntEnum):
    """Whether the SMTP server can be reached."""

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

    One among several transports holds up nobody else's mails: then there is nothing to look at.
    """

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._script = client.register_script(scripts.read("outlook"))
        alone = len(settings.transports) == 1
        self._keys = [*keys.circuit(settings.broker_prefix, DEFAULT)]
        self._arguments: list[Any] = [settings.circuit_failures if alone else 0]
        #: The one that holds for every mail.
        self.limit = limit = Limits(settings).transport if alone else None
        if limit is not None:
            self._keys += [limit.log, limit.line]
            self._arguments += [limit.rate.count, round(limit.window * 1e6)]

    def look(self) -> Outlook:
        """Tell how it is now; nobody is asked where there is neither limit nor circuit."""
        if self._arguments == [0]:
            return Outlook(Circuit.CLOSED)
        circuit, first_ahead, ahead, free = self._script(keys=self._keys, args=self._arguments)
        return Outlook(Circuit(circuit), first_ahead / 1e6, ahead / 1e6, free)
