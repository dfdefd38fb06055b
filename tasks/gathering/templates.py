"""TEMPLATES_COLLECTION: the template a mail names → its message."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.collection import Collection
from pymongo.errors import NetworkTimeout, OperationFailure

from config.mongo import Document
from tasks.gathering import identity
from tasks.gathering.reading import reading, refused
from tasks.gathering.template_copy import TemplateCopy
from tasks.mail.handlebars import Limits
from tasks.mail.schema import Message, TemplateUse
from tasks.mail.templates import Library, render
from tasks.mail.templates.rendering import Unrenderable
from tasks.mail.templates.template import name_of


_WHAT = "TEMPLATES_COLLECTION"
#: Seconds until a template that is in MongoDB is in the copy, too, at the longest.
_SOON = 5.0


class Templates:
    """Renders from a copy of the collection: no question to MongoDB for a mail."""

    def __init__(self, collection: Collection[Document], limits: Limits) -> None:
        self._collection = collection
        self._copy = TemplateCopy(collection, limits)

    def render(self, use: TemplateUse, seconds: float) -> Message | Sequence[str]:
        """Give the message, or what is wrong with the template or the data.

        Raises Transient when the collection must not be read, PyMongoError when MongoDB is away
        and nothing was read yet; each within the time.
        """
        name = use.name or ""
        library = self.library(seconds)
        if name not in library.templates and self._is_there(name, seconds):
            library = self._copy.library_with(name, min(seconds, _SOON)) or library
        try:
            return render(use, library)
        except Unrenderable as error:
            return error.problems

    def library(self, seconds: float) -> Library:
        """Give all templates. Raises as `render` does."""
        try:
            library = self._copy.library(seconds)
        except OperationFailure as error:
            if error.timeout:
                raise
            raise refused(_WHAT, error) from error
        if library is None:
            raise NetworkTimeout(f"{_WHAT} was not read within {seconds:g} s")
        return library

    def _is_there(self, name: str, seconds: float) -> bool:
        """Ask MongoDB: a mail may be faster than the news of the template it names."""
        query = {"$or": [{"name": name}, {"_id": {"$in": identity.forms(name)}}]}
        with reading(_WHAT, seconds):
            found = self._collection.find(query, {"name": 1, "partial": 1})
            return any(name_of(each) == name and not each.get("partial") for each in found)
