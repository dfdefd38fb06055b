"""All that one mail needs from elsewhere."""

from __future__ import annotations

from pymongo.database import Database

from config.mongo import CODEC, Document
from config.settings import Settings
from tasks.gathering.users import Users
from tasks.mail.gathered import NOTHING, Gathered, Wanted


#: Of the lease, for one mail: the rest is for sending it.
_SHARE = 1 / 3


class Gatherer:
    """One in a process, shared by its threads."""

    @classmethod
    def of(cls, settings: Settings, database: Database[Document]) -> Gatherer:
        """Make the one that the settings ask for; `database` is that of the mails."""
        users = None
        if settings.users_collection is not None:
            users = Users(database.get_collection(settings.users_collection, codec_options=CODEC))
        return cls(users, seconds=settings.lease_seconds * _SHARE)

    def __init__(self, users: Users | None, *, seconds: float) -> None:
        """`users`: None when there is no such setting. `seconds`: for one mail."""
        self._users = users
        self._seconds = seconds

    def gather(self, wanted: Wanted) -> Gathered:
        """Ask for everything that is wanted and that the settings allow.

        Raises Transient when it cannot be had now, PyMongoError when MongoDB is away.
        """
        if self._users is None or not wanted.uids:
            return NOTHING
        return Gathered(emails=self._users.emails(wanted.uids, self._seconds))
