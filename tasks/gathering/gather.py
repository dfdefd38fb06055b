"""All that one mail needs from elsewhere."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pymongo.database import Database

from config import attachment_hosts
from config.mongo import CODEC, Document
from config.settings import Settings
from tasks.errors import Transient
from tasks.gathering.bucket import Bucket
from tasks.gathering.errors import Unobtainable
from tasks.gathering.local_files import LocalFiles
from tasks.gathering.templates import Templates
from tasks.gathering.users import Users
from tasks.gathering.web import Web
from tasks.mail.elsewhere import Place
from tasks.mail.gathered import Fault, File, Gathered, Key, Wanted, WantedFile
from tasks.mail.handlebars import Limits
from tasks.mail.schema import Message


#: Of the lease, for one mail: the rest is for sending it.
_SHARE = 1 / 3
_NO_TIME = Fault("has to wait: there was no time left to get it", transient=True)

#: Gets one file: of at most so many bytes, until time.monotonic() is that.
GetFile = Callable[[WantedFile, int, float], File]


class Gatherer:
    """One in a process, shared by its threads."""

    @classmethod
    def of(cls, settings: Settings, database: Database[Document]) -> Gatherer:
        """Make the one that the settings ask for; `database` is that of the mails."""
        users = None
        if settings.users_collection is not None:
            users = Users(database.get_collection(settings.users_collection, codec_options=CODEC))
        return cls(
            users,
            _places(settings, database),
            templates(settings, database),
            seconds=settings.lease_seconds * _SHARE,
            max_bytes=settings.max_message_bytes,
        )

    def __init__(
        self,
        users: Users | None,
        places: Mapping[Place, GetFile],
        templates: Templates | None = None,
        *,
        seconds: float,
        max_bytes: int,
    ) -> None:
        """`users`, `places`, `templates`: those that the settings allow.

        `seconds` and `max_bytes`: for one mail.
        """
        self._users = users
        self._places = places
        self._templates = templates
        self._seconds = seconds
        self._max_bytes = max_bytes

    def gather(self, wanted: Wanted) -> Gathered:
        """Ask for everything that is wanted and allowed; render the template first.

        Raises Transient when users or templates must not be read, PyMongoError when MongoDB is
        away.
        """
        deadline = time.monotonic() + self._seconds
        rendered: Message | Sequence[str] | None = None
        if self._templates is not None and wanted.template is not None:
            rendered = self._templates.render(wanted.template, self._seconds)
            if isinstance(rendered, Message):
                wanted = wanted.with_message(rendered)
        emails = None
        if self._users is not None and wanted.uids:
            emails = self._users.emails(wanted.uids, self._seconds)
        return Gathered(emails, self._files(wanted, deadline), rendered)

    def _files(self, wanted: Wanted, deadline: float) -> dict[Key, File | Fault]:
        files: dict[Key, File | Fault] = {}
        left = self._max_bytes
        for each in wanted.files:
            get = self._places.get(each.where.place)
            if get is None:
                continue
            found = _get(get, each, left, deadline)
            files[each.key] = found
            if isinstance(found, File):
                left -= len(found.data)
        return files


def templates(settings: Settings, database: Database[Document]) -> Templates | None:
    """Give the templates; None: TEMPLATES_COLLECTION is not set."""
    name = settings.templates_collection
    if name is None:
        return None
    return Templates(database.get_collection(name, codec_options=CODEC), limits(settings))


def limits(settings: Settings) -> Limits:
    """Give the bounds of one mail's template."""
    return Limits(
        template_size=settings.template_size,
        tokens=settings.template_tokens,
        nesting=settings.template_nesting,
        partial_depth=settings.template_partial_depth,
        steps=settings.template_steps,
        output_size=settings.template_output_size,
        seconds=settings.template_seconds,
    )


def _get(get: GetFile, wanted: WantedFile, limit: int, deadline: float) -> File | Fault:
    if time.monotonic() > deadline:
        return _NO_TIME
    try:
        return get(wanted, limit, deadline)
    except Unobtainable as error:
        return Fault(str(error))
    except Transient as error:
        return Fault(str(error), transient=True)


def _places(settings: Settings, database: Database[Document]) -> dict[Place, GetFile]:
    places: dict[Place, GetFile] = {}
    if settings.attachment_root is not None:
        files = LocalFiles(Path(settings.attachment_root))
        places[Place.FILE] = lambda wanted, limit, deadline: files.read_until(
            deadline, wanted.where.value, limit
        )
    if settings.attachment_hosts is not None:
        hosts = attachment_hosts.parse(settings.attachment_hosts)
        web = Web(hosts, ssl.create_default_context())
        places[Place.WEB] = lambda wanted, limit, deadline: web.read(
            wanted.where.value, wanted.http_headers, limit, deadline
        )
    if settings.attachment_bucket is not None:
        bucket = Bucket(database, settings.attachment_bucket)
        places[Place.BUCKET] = lambda wanted, limit, deadline: bucket.read(
            # 0 would be no limit at all.
            wanted.where.value,
            limit,
            max(deadline - time.monotonic(), 0.01),
        )
    return places
