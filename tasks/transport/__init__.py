"""A mail → its outcome.

    interface.py    Transport and Session: what every way has in common
    making.py       settings → transports

    pool.py         SmtpTransport: connections kept between mails
    session.py      SmtpSession: mails in a row; a connection that died idle is replaced
    opening.py      connect, greeting, EHLO, STARTTLS
    login.py        AUTH        auth.py   the mechanisms        access_tokens.py   OAuth2
    transaction.py  MAIL, RCPT, DATA, content: what may have been delivered, and what cannot
    draft.py        a mail as commands and bytes for one server    dsn.py   RFC 3461
    decisions.py    what a reply means: the decision table         verdicts.py   replies → Outcome
    connection.py   the socket under a deadline    replies.py, offers.py   what the server says

    sendgrid.py     SendGridTransport: the Web API        sendgrid_request.py   its JSON

Errors: Permanent, Transient and UnknownOutcome of `tasks.errors`, and Withdrawn.
"""

from tasks.transport.interface import Session, Transport, Withdrawn
from tasks.transport.pool import SmtpTransport


__all__ = ["Session", "SmtpTransport", "Transport", "Withdrawn"]
