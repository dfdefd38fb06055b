"""SendGridTransport: mails over SendGrid's v3 Web API.

The point of no return is the last byte of the request: before it SendGrid cannot have the mail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from config.sendgrid import SendGridApi
from config.web_api import NoAnswer, WebApi
from tasks.envelope import Mail
from tasks.errors import MailError, NoConnection, Permanent, Transient, UnknownOutcome
from tasks.outcome import Outcome
from tasks.transport import sendgrid_request as request
from tasks.transport.interface import Withdrawn


_TAKEN = 2
_PATH = "/v3/mail/send"


class SendGridTransport:
    """SendGrid for all threads of a process, with one key."""

    def __init__(self, api: SendGridApi, *, idle_seconds: float) -> None:
        self.server = api
        self._web = WebApi(idle_seconds=idle_seconds)

    @contextlib.contextmanager
    def session(self, deadline: float, *, anew: bool = False) -> Iterator[SendGridSession]:  # noqa: ARG002
        """Begin a session; a connection is had with the first mail."""
        yield SendGridSession(self.server, self._web)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._web.close()


class SendGridSession:
    """Mails in a row, each a request of its own."""

    #: Nobody was asked yet.
    is_new = False

    def __init__(self, api: SendGridApi, web: WebApi) -> None:
        self._api = api
        self._web = web

    def extend(self, deadline: float) -> None:
        """Give the mail in hand more time."""
        self._web.extend(deadline)

    def submit(
        self,
        mail: Mail,
        *,
        deadline: float,
        before_data: Callable[[], bool] | None = None,
        following: Mail | None = None,  # noqa: ARG002 - a request is a round trip
    ) -> Outcome:
        """Send one mail; see `tasks.transport.interface.Session`."""
        if mail.letter is None:
            raise Permanent(f"{self._api} writes its mails itself, and this one is written")
        told, refused = request.split(mail)
        if not told:
            rejected = (*mail.rejected, *refused)
            return Outcome((), tuple(each.recipient for each in rejected), errors=rejected)
        content = _Content(request.body(mail.letter, told), before_data)
        headers = {
            "Host": self._api.host,
            "Authorization": f"Bearer {self._api.key}",
            "Content-Type": "application/json",
            "Content-Length": str(len(content.whole)),
        }
        try:
            answer = self._web.post(self._api.at(_PATH), headers, iter(content), deadline)
        except NoAnswer as error:
            raise self._error(error, content) from error
        if answer.status // 100 == _TAKEN:
            return request.outcome(mail, told, refused, answer)
        raise request.error(self._api, answer)

    def _error(self, error: NoAnswer, content: _Content) -> MailError:
        if not error.connected:
            return NoConnection(f"{self._api} {error}; nothing was sent")
        if content.finished:
            return UnknownOutcome(
                f"{self._api} {error} (after it had the whole message: it may have sent it)"
            )
        return Transient(f"{self._api} {error} (before it had the whole message; nothing was sent)")


class _Content:
    """The body of a request, which asks before it begins, and knows whether it was written."""

    def __init__(self, whole: bytes, ask: Callable[[], bool] | None) -> None:
        self.whole = whole
        #: The last byte was handed over, or may have been.
        self.finished = False
        self._ask = ask

    def __iter__(self) -> Iterator[bytes]:
        if self._ask is not None and not self._ask():
            raise Withdrawn
        yield self.whole[:-1]
        self.finished = True
        yield self.whole[-1:]
