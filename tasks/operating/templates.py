"""Mails as their templates make them now, and the templates themselves: to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from config.mongo import Document
from config.settings import Settings
from tasks.composing import profiles
from tasks.gathering.gather import Gatherer
from tasks.gathering.gather import templates as templates_of
from tasks.mail.gathered import Wanted, wanted
from tasks.mail.inline_css import inline
from tasks.mail.reading import read_message
from tasks.mail.schema import Message
from tasks.mail.templates import Library
from tasks.mail.templates.rendering import Unrenderable, message
from tasks.mail.templates.template import Template
from tasks.operating import template_checks


#: Seconds to read them for the first time.
_SECONDS = 5.0


class Templates:
    """One in a process: it follows the collection once it was asked for something."""

    def __init__(self, settings: Settings, mails: Collection[Document]) -> None:
        self._profiles = profiles(settings, mails.full_name)
        self._templates = templates_of(settings, mails.database)
        # No users, and no files: nobody's server is asked because somebody looks.
        self._gatherer = Gatherer(
            None, {}, self._templates, seconds=_SECONDS, max_bytes=settings.max_message_bytes
        )
        self._inline_css = settings.inline_css

    def mail(self, document: Mapping[str, Any]) -> Message:
        """Render the template that a mail names, and put it into its message.

        As `python -m tasks preview` does. Raises MailError, or PyMongoError when MongoDB is away.
        """
        gathered = self._gatherer.gather(Wanted(template=wanted(document).template))
        return read_message(document, self._profiles.of(document), gathered)

    def library(self) -> Library | None:
        """Give all templates; None: there is no TEMPLATES_COLLECTION.

        Raises Transient when it must not be read, PyMongoError when MongoDB is away.
        """
        return None if self._templates is None else self._templates.library(_SECONDS)

    def sample(self, template: Template, library: Library) -> Message:
        """Render a template with its sample. Raises Unrenderable."""
        made = message(template, library, template.sample, path="sample")
        if not (self._inline_css and made.html):
            return made
        try:
            return made.model_copy(update={"html": inline(made.html)})
        except ValueError as error:
            raise Unrenderable([f"html {error}"]) from None


def described(template: Template, library: Library) -> dict[str, Any]:
    """Say of a template what stands in a list; nothing is rendered."""
    parts = template_checks.parts(template, library)
    compiled = [part.compiled for part in parts if part.compiled]
    fields = list(template.texts)
    if template.attachments is not None:
        fields.append("attachments")
    return {
        "name": template.name,
        "partial": template.partial,
        "fields": fields,
        "data": sorted({name for each in compiled for name in each.fields}),
        "partials": sorted({name for each in compiled for name in each.partials}),
        "computesPartials": any(each.computes_partials for each in compiled),
        "sample": template.sample is not None,
        "changed": template.updated.isoformat() if template.updated else None,
        "created": created(template.id),
        "errors": template_checks.faults_of(template, library, render=False),
    }


def created(id: Any) -> str | None:
    """Give the time that an ObjectId was made."""
    return id.generation_time.isoformat() if isinstance(id, ObjectId) else None
