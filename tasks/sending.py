"""The sending of a group of mails: connect, pass the point of no return, submit, record."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

import structlog
from pymongo.errors import PyMongoError

from tasks.delivery import results
from tasks.delivery.returns import Waiting
from tasks.detour import Detour, by_transport
from tasks.envelope import Mail
from tasks.errors import MailError, NoConnection
from tasks.ledger import Ledger
from tasks.limits import reasons
from tasks.limits.permits import Slot
from tasks.limits.troubles import Gate
from tasks.pace import GROUP_SECONDS
from tasks.parts import Parts
from tasks.routing import Route
from tasks.screening.screen import Prepared, tell_all
from tasks.transport import Session, Withdrawn


#: Seconds by which a wave of mails may at most connect and pass the point of no return before its
#: first slot.
MOST_BEFOREHAND = 0.2
#: Seconds after which slots are reported; one report for several mails.
REPORT_EVERY = 0.05
#: Seconds without which there is no use in connecting.
SHORTEST = 1.0

_log = structlog.get_logger(__name__)


class Sending:
    """Sends the groups of one batch, in the hands of one thread."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger
        self._detour = Detour(parts, ledger)
        #: Mails of the group in hand that were begun, and seconds spent waiting for slots.
        self._begun = 0
        self._waited = 0.0
        #: The last mail failed with words of the server.
        self._answered = False
        #: Slots of mails that were sent, not yet reported.
        self._used: list[Slot] = []

    def send(self, group: Sequence[Prepared]) -> None:
        """Attempt every mail of the group, each in its slot.

        Raises PyMongoError when MongoDB stays away; nothing was sent of the mails that had not
        begun, and they are in the ledger to be given back.
        """
        started = time.monotonic()
        self._begun, self._waited = 0, 0.0
        rest = deque(sorted(group, key=_not_before))
        try:
            while rest:
                beforehand = min(2 * self._parts.pace.start, MOST_BEFOREHAND)
                if self._comes(_not_before(rest[0]) - beforehand):
                    self._send_all(by_transport(_wave(rest)))
                else:
                    self._give_back(rest.popleft())
        except PyMongoError:
            self._ledger.give_back(prepared.claim for prepared in rest)
            raise
        finally:
            self._report()
            if self._begun:
                spent = time.monotonic() - started - self._waited
                self._parts.pace.measured(spent, self._begun)

    def _comes(self, time_: float) -> bool:
        """Wait until then; False when the worker stops before."""
        started = time.monotonic()
        if time_ <= started:
            return True
        stops = self._parts.stopping.wait(time_ - started)
        self._waited += time.monotonic() - started
        return not stops

    def _give_back(self, prepared: Prepared) -> None:
        self._ledger.give_back([prepared.claim])
        if prepared.slot is not None:
            self._parts.unused([prepared.slot])

    def _send_all(self, queues: Sequence[deque[Prepared]]) -> None:
        """Send what is in the queues, each of one transport."""
        try:
            for queue in queues:
                self._send(queue)
        except PyMongoError:
            for queue in queues:
                self._ledger.give_back(prepared.claim for prepared in queue)
                queue.clear()
            raise

    def _send(self, queue: deque[Prepared]) -> None:
        """Send what is in the queue; a mail leaves it when its transaction begins."""
        route = self._parts.routes[queue[0].mail.transport]
        # In a slot the transaction is kept short instead: it is to reach the server in time.
        alone = len(queue) == 1 and queue[0].slot is None
        held = False
        while queue := self._in_time(queue):
            started = time.monotonic()
            gate = route.troubles.gate()
            if gate is Gate.OPEN:
                self._go_elsewhere(queue, route)
                self._await_connection(queue, route)
                return
            probes = gate is Gate.PROBE
            # The last was claimed last; the others' deadlines are looked at again.
            deadline = max(prepared.claim.deadline for prepared in queue)
            try:
                with route.transport.session(deadline, anew=probes) as session:
                    if session.is_new:
                        route.troubles.works()
                    if not alone and not held:
                        self._begin_sending(queue)
                        self._parts.pace.started(time.monotonic() - started)
                        held = True
                    self._send_on(session, queue, route, alone=alone)
            except NoConnection as error:
                self._no_connection(queue, route, error)

    def _no_connection(self, queue: deque[Prepared], route: Route, error: NoConnection) -> None:
        """Let the first mail pay for it, unless it is known already; the others go on, or wait.

        Unless another transport takes them.
        """
        failed = route.troubles.failed()
        self._go_elsewhere(queue, route)
        if not queue:
            return
        if failed is None:
            # Nobody counts. The rest would meet the same refusal.
            while queue:
                self._fail(queue.popleft(), error)
            return
        if not failed.known:
            self._fail(queue.popleft(), error)
        if failed.open:
            self._await_connection(queue, route)

    def _go_elsewhere(self, queue: deque[Prepared], route: Route) -> None:
        self._send_all(self._detour.take(queue, route))

    def _await_connection(self, queue: deque[Prepared], route: Route) -> None:
        if not queue:
            return
        seconds = self._parts.routes.seconds_away(route)
        why = reasons.connection(route.transport.server)
        self._parts.postpone([Waiting(prepared.claim, seconds, why) for prepared in queue])
        self._ledger.tally.waiting += len(queue)
        self._parts.unused([each.slot for each in queue if each.slot is not None])
        queue.clear()

    def _in_time(self, queue: deque[Prepared]) -> deque[Prepared]:
        """Give back those whose time is over before anything could be sent."""
        end = time.monotonic() + SHORTEST
        late = [prepared for prepared in queue if prepared.claim.deadline < end]
        for prepared in late:
            queue.remove(prepared)
            self._give_back(prepared)
        return queue

    def _begin_sending(self, queue: deque[Prepared]) -> None:
        """Pass the point of no return, once for all; mails whose lease is lost leave the queue."""
        kept = self._parts.claims.begin_sending([prepared.claim for prepared in queue])
        if len(kept) == len(queue):
            return
        still = {id(claim) for claim in kept}
        for prepared in list(queue):
            if id(prepared.claim) not in still:
                queue.remove(prepared)
                # Nothing was sent of it: if only the sweep has ended it meanwhile, that was wrong.
                self._give_back(prepared)

    def _send_on(
        self, session: Session, queue: deque[Prepared], route: Route, *, alone: bool
    ) -> None:
        """Send until the queue is empty or a mail leaves the session in doubt."""
        good = True
        while queue and good:
            if not alone and self._parts.claims.is_worn(queue[0].claim):
                self._begin_sending(queue)
                if not queue:
                    break
            prepared = queue.popleft()
            if not self._may_begin(prepared):
                self._give_back(prepared)
                continue
            self._begun += 1
            self._answered = False
            following = _following(queue)
            try:
                good = self._submit(session, prepared, following, alone=alone)
            except NoConnection:
                queue.appendleft(prepared)
                raise
            self._note(prepared)
            if good or self._answered:
                route.troubles.works()

    def _note(self, prepared: Prepared) -> None:
        """Keep its slot for the report, which is due before the next of its chain is given."""
        if prepared.slot is None:
            return
        prepared.slot.ended = time.monotonic()
        self._used.append(prepared.slot)
        # A mail that takes long is reported when it is through, not behind another that does.
        if prepared.slot.ended - self._used[0].begun > REPORT_EVERY:
            self._report()

    def _report(self) -> None:
        if self._used:
            self._parts.sent(self._used)
            self._used = []

    def _may_begin(self, prepared: Prepared) -> bool:
        slot = prepared.slot
        if slot is not None:
            if slot.not_before > time.monotonic():
                self._report()
            if not self._comes(slot.not_before) or slot.is_lost:
                return False
            slot.begun = time.monotonic()
        return time.monotonic() <= prepared.claim.deadline

    def _submit(
        self, session: Session, prepared: Prepared, following: Mail | None, *, alone: bool
    ) -> bool:
        """Send one mail and record its outcome; False when the session may be broken."""
        claim, mail = prepared.claim, prepared.mail

        def before_data() -> bool:
            """Pass the point of no return between RCPT and DATA: the smallest window there is."""
            passed = bool(self._parts.claims.begin_sending([claim]))
            session.extend(claim.deadline)  # the lease was renewed
            return passed

        try:
            outcome = session.submit(
                mail,
                deadline=claim.deadline,
                before_data=before_data if alone else None,
                following=following,
            )
        except Withdrawn:
            self._give_back(prepared)
        except NoConnection:
            raise
        except MailError as error:
            self._answered = error.code is not None
            self._fail(prepared, error)
            return False
        except PyMongoError:
            self._ledger.give_back([claim])
            raise
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_sent", id=claim.id)
            self._ledger.record(results.of_bug(claim, error, sending=True))
            return False
        else:
            again = self._parts.again(claim, mail, outcome) if outcome.pending else None
            self._ledger.record(results.of_outcome(claim, mail, outcome, again))
            tell_all(self._parts.listeners, prepared, outcome)
        return True

    def _fail(self, prepared: Prepared, error: MailError) -> None:
        again = self._parts.again(prepared.claim, prepared.mail, error)
        self._ledger.record(results.of_failure(prepared.claim, prepared.mail, error, again))
        tell_all(self._parts.listeners, prepared, error)


def _not_before(prepared: Prepared) -> float:
    return float("-inf") if prepared.slot is None else prepared.slot.not_before


def _wave(rest: deque[Prepared]) -> deque[Prepared]:
    """Take the next mails that pass the point of no return together."""
    end = max(_not_before(rest[0]), time.monotonic()) + GROUP_SECONDS
    wave: deque[Prepared] = deque()
    while rest and _not_before(rest[0]) <= end:
        wave.append(rest.popleft())
    return wave


def _following(queue: deque[Prepared]) -> Mail | None:
    """Give the next mail, if its slot has come."""
    if queue and _not_before(queue[0]) <= time.monotonic():
        return queue[0].mail
    return None
