"""One SMTP transaction: MAIL, RCPT, DATA, content.

What an error means hangs on one point, the moment the last byte of the content, the LF after the
final dot, is handed to the kernel. Before it the server cannot have the mail: Broken (which may
begin again elsewhere), once content was written Transient. After it: UnknownOutcome, unless the
server answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from tasks.errors import UnknownOutcome
from tasks.observing import staged
from tasks.outcome import Outcome
from tasks.transport import verdicts
from tasks.transport.connection import Broken, Connection, transient
from tasks.transport.decisions import Stage
from tasks.transport.draft import Draft
from tasks.transport.interface import Withdrawn
from tasks.transport.replies import CLOSING, Reply
from tasks.transport.verdicts import Answer


#: Commands written before their replies are read. Many more could fill the buffers both ways, and
#: then both sides would wait for the other to read (RFC 2920 section 3.1).
_GROUP = 100
_GO_AHEAD = 354
_RSET, _DATA, _FINAL_DOT = b"RSET\r\n", b"DATA\r\n", b".\r\n"


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The replies to MAIL, each RCPT (none when MAIL was refused) and, if it was said, DATA."""

    mail: Reply
    rcpt: list[Reply]
    data: Reply | None

    @property
    def taken(self) -> bool:
        """Whether there is anybody to send the content to."""
        return self.mail.positive and any(reply.positive for reply in self.rcpt)


class Transaction:
    """One mail on one connection."""

    def __init__(self, connection: Connection, draft: Draft, server: object) -> None:
        self._connection = connection
        self._draft = draft
        self._server = server
        #: The envelope was written behind the content of the mail before; its replies will come.
        self._said = False

    def run(
        self, before_data: Callable[[], bool] | None = None, following: Transaction | None = None
    ) -> Outcome:
        """Send the mail; `before_data` is asked between RCPT and DATA.

        `following`: the next mail on this connection. Its envelope goes out behind this one's
        content, in the same round trip (RFC 2920 section 3.1 allows exactly that).

        Raises Broken while nothing of the content was written; then Transient as long as the final
        dot is not out, UnknownOutcome after it; Withdrawn when `before_data` says no.
        """
        connection = self._connection
        connection.in_step = False
        connection.used += 1
        if not self._said:
            connection.expect_silence()
        envelope = self._envelope(with_data=before_data is None)
        if not envelope.taken:
            self._abandon(envelope)
            return self._refusal(envelope)
        data = envelope.data or self._data(before_data)
        if data.code == _GO_AHEAD:
            return self._outcome(envelope, self._content(following))
        _expect_refusal(data)
        self._end(needs_reset=True)
        return self._outcome(envelope, data)

    @property
    def said(self) -> bool:
        """Whether its envelope is on the way already."""
        return self._said

    def say_ahead(self) -> bytes:
        """Give the envelope, to be written behind another mail's content.

        Nothing where it needs more than one round trip.
        """
        commands = [self._draft.mail, *self._draft.rcpt, _DATA]
        if not self._connection.offers.pipelining or len(commands) > _GROUP:
            return b""
        self._said = True
        return b"".join(commands)

    def forget_said(self) -> None:
        """Note that the replies to what was said ahead will not be read."""
        self._said = False

    @staged("envelope")
    def _envelope(self, *, with_data: bool) -> _Envelope:
        connection, draft = self._connection, self._draft
        connection.stage = "MAIL, RCPT"
        opening = [_RSET, draft.mail] if connection.needs_reset else [draft.mail]
        closing = [_DATA] if with_data and connection.offers.pipelining else []
        commands = [*opening, *draft.rcpt, *closing]
        if self._said:
            replies = [connection.answer() for _ in commands]
        else:
            replies = self._say(commands, essential=len(opening))
        if connection.needs_reset and not replies[0].positive:
            raise Broken(f"refused RSET: {replies[0]}", replies[0])
        data = replies.pop() if closing and len(replies) == len(commands) else None
        envelope = _Envelope(replies[len(opening) - 1], replies[len(opening) :], data)
        for reply in (envelope.mail, *envelope.rcpt):
            _expect_verdict(reply)
        return envelope

    def _say(self, commands: list[bytes], *, essential: int) -> list[Reply]:
        """Say commands and read their replies; none after a refusal of the first, essential ones.

        Those that are written together are all answered.
        """
        connection = self._connection
        size = _GROUP if connection.offers.pipelining else 1
        replies: list[Reply] = []
        for start in range(0, len(commands), size):
            group = commands[start : start + size]
            connection.send(b"".join(group))
            replies += [connection.answer() for _ in group]
            if not all(reply.positive for reply in replies[:essential]):
                break
        return replies

    def _data(self, before_data: Callable[[], bool] | None) -> Reply:
        connection = self._connection
        if before_data is not None:
            self._end(needs_reset=True)  # also for whatever it may raise
            if not before_data():
                raise Withdrawn
            connection.in_step = False
        connection.stage = "DATA"
        connection.send(_DATA)
        return connection.answer()

    @staged("data")
    def _content(self, following: Transaction | None) -> Reply:
        connection, content = self._connection, self._draft.content
        connection.expect_silence()
        try:
            connection.send(content + following.say_ahead() if following else content)
        except Broken as error:
            if following is not None:
                following.forget_said()
            if error.written < len(content):
                raise transient(
                    f"{self._server} {error} (before it had the whole message; nothing was sent)",
                    error.reply,
                ) from error
        try:
            # RFC 5321 4.5.3.2.6 asks for ten minutes: a server that delivers before it answers is
            # slow here, and giving up too early leaves the mail in doubt. So: all the time we have.
            final = connection.reply(patient=True)
            _expect_verdict(final)
        except Broken as error:
            if following is not None:
                following.forget_said()  # the next reply might be this mail's, come late
            raise UnknownOutcome(
                f"{self._server} {error} (after it had the whole message: it may have sent it)",
                code=error.reply and error.reply.code,
                response=error.reply and str(error.reply),
            ) from error
        if final.code != CLOSING:
            self._end(needs_reset=False)
        if following is not None and following.said:
            connection.in_step = False
        return final

    def _abandon(self, envelope: _Envelope) -> None:
        """End a transaction in which nobody is to get the content."""
        connection = self._connection
        if envelope.data is None or envelope.data.code != _GO_AHEAD:
            self._end(needs_reset=True)
        elif not any(reply.positive for reply in envelope.rcpt):
            # RFC 2920 section 3.1: a lone dot, of which nothing comes as there is no recipient.
            # Should it fail, the refusal stands, and the connection is out of step.
            with contextlib.suppress(Broken):
                connection.send(_FINAL_DOT)
                connection.answer()
                self._end(needs_reset=False)
        # Else the server refused the sender, and took a recipient: a dot might send an empty mail.

    def _end(self, *, needs_reset: bool) -> None:
        self._connection.in_step = True
        self._connection.needs_reset = needs_reset

    def _refusal(self, envelope: _Envelope) -> Outcome:
        draft = self._draft
        if envelope.mail.positive:
            replies = zip(draft.recipients, envelope.rcpt, strict=True)
            answers = [Answer(recipient, Stage.RCPT, reply) for recipient, reply in replies]
            return verdicts.outcome(answers, draft.rejected, envelope.rcpt[-1])
        answers = [Answer(recipient, Stage.MAIL, envelope.mail) for recipient in draft.recipients]
        return verdicts.outcome(answers, draft.rejected, envelope.mail)

    def _outcome(self, envelope: _Envelope, verdict: Reply) -> Outcome:
        """A refused recipient has its own reply; the others have the mail's."""
        answers = [
            Answer(recipient, Stage.DATA, verdict)
            if reply.positive
            else Answer(recipient, Stage.RCPT, reply)
            for recipient, reply in zip(self._draft.recipients, envelope.rcpt, strict=True)
        ]
        return verdicts.outcome(answers, self._draft.rejected, verdict)


def _expect_refusal(reply: Reply) -> None:
    if not (reply.later or reply.never):
        raise Broken(f"gave an answer that does not belong here: {reply}", reply)


def _expect_verdict(reply: Reply) -> None:
    if not reply.positive:
        _expect_refusal(reply)
