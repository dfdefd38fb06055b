"""TRANSPORT_FALLBACK: mails whose server is away, made ready for another one."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable

import structlog
from pymongo.errors import PyMongoError

from tasks.errors import MailError
from tasks.ledger import Ledger
from tasks.parts import Parts
from tasks.routing import Route
from tasks.screening.screen import Prepared, Screened, screen_all


_log = structlog.get_logger(__name__)


class Detour:
    """Takes mails over that were not begun."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger

    def take(self, queue: deque[Prepared], route: Route) -> list[deque[Prepared]]:
        """Take out of the queue what another transport takes; give that, a queue for each.

        Raises PyMongoError; then the queue is as it was.
        """
        if not self._parts.routes.instead_of({route.name}):
            return []
        found = [(prepared, self._another_way(prepared, route)) for prepared in queue]
        elsewhere = [other for _, other in found if other]
        screened = screen_all(self._parts.screens_of_transport, elsewhere)
        if screened.waiting:
            self._parts.postpone(screened.waiting)
        for prepared, other in found:
            if other:
                queue.remove(prepared)
                self._give_back_slot(prepared)
        self._settle(screened)
        if elsewhere:
            _log.warning("transport.fallback", instead_of=route.name, mails=len(elsewhere))
        return by_transport(screened.send)

    def _another_way(self, prepared: Prepared, route: Route) -> Prepared | None:
        tried = prepared.tried | {route.name}
        for other in self._parts.routes.instead_of(tried):
            try:
                document = self._parts.claims.read_again(prepared.claim)
                if document is None:
                    return None
                mail = self._parts.compose(document, other.name)
            except PyMongoError:
                raise
            except MailError as error:
                _log.info("transport.cannot_stand_in", transport=other.name, error=str(error))
            except Exception:  # noqa: BLE001 - one mail's trouble must not be the group's
                _log.exception("mail.not_composed", id=prepared.claim.id)
            else:
                # Who gets it was settled before.
                same = dataclasses.replace(
                    mail, recipients=prepared.mail.recipients, rejected=prepared.mail.rejected
                )
                return Prepared(prepared.claim, same, tried=tried)
        return None

    def _give_back_slot(self, prepared: Prepared) -> None:
        if prepared.slot is not None:
            self._parts.unused([prepared.slot])

    def _settle(self, screened: Screened) -> None:
        self._ledger.tally.waiting += len(screened.waiting)
        for result in screened.ended:
            self._ledger.record(result)


def by_transport(mails: Iterable[Prepared]) -> list[deque[Prepared]]:
    """Part mails by their transport, in order."""
    queues: dict[str, deque[Prepared]] = {}
    for prepared in mails:
        queues.setdefault(prepared.mail.transport, deque()).append(prepared)
    return list(queues.values())
