"""A document → a mail, with all it needs from elsewhere: for the worker, and for a preview."""

from __future__ import annotations

from pymongo.collection import Collection

from config.mongo import Document
from config.sendgrid import SendGridApi
from config.settings import Settings
from tasks.clock import Now
from tasks.envelope import Mail
from tasks.gathering import Gatherer
from tasks.mail import Defaults, Profiles, Signers, compose, wanted


class Composer:
    """One in a process, shared by its threads."""

    def __init__(self, settings: Settings, mails: Collection[Document], now: Now) -> None:
        self._profiles = profiles(settings, mails.full_name)
        self._gatherer = Gatherer.of(settings, mails.database)
        self._now = now

    def __call__(self, document: Document, transport: str | None = None) -> Mail:
        """Make the mail for a transport; None: the one that the document asks for.

        Raises MailError, and PyMongoError when MongoDB is away.
        """
        profiles = self._profiles
        profile = profiles.of(document) if transport is None else profiles[transport]
        gathered = self._gatherer.gather(wanted(document))
        return compose(document, profile, now=self._now(), gathered=gathered)


def profiles(settings: Settings, namespace: str) -> Profiles:
    """Tell what the settings say about the mails of a collection."""
    names = tuple(each.name for each in settings.transports)
    signers = Signers(settings.dkim_keys())
    return Profiles(
        [
            Defaults(
                each.default_from,
                settings.default_reply_to,
                namespace=namespace,
                transport=each.name,
                transports=names,
                letters=isinstance(each.server, SendGridApi),
                signers=signers,
                max_recipients=settings.max_recipients,
                max_message_bytes=settings.max_message_bytes,
                text_from_html=settings.text_from_html,
                inline_css=settings.inline_css,
            )
            for each in settings.transports
        ]
    )
