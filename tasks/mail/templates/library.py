"""All templates as they were at one moment."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from tasks.mail import handlebars
from tasks.mail.handlebars import Limits
from tasks.mail.templates.template import TEXTS, Template, order


#: So many names are compared with one that is missing, and no longer ones.
_MAX_COMPARED, _MAX_LENGTH = 5_000, 100


class Library:
    """It never changes: a mail that has one cannot mix two versions of a template."""

    def __init__(self, templates: Iterable[Template], limits: Limits) -> None:
        self.limits = limits
        #: By name; of several with one name, the one with that `_id`, else the first in order.
        self.templates: dict[str, Template] = {}
        self._partials: dict[str, Template] = {}
        #: Those that another with their name stands before, and that one.
        self.hidden: list[tuple[Template, Template]] = []
        for template in sorted(templates, key=_rank):
            shelf = self._partials if template.partial else self.templates
            first = shelf.setdefault(template.name, template)
            if first is not template:
                self.hidden.append((template, first))
        self.partials = {field: Partials(self._partials, field, limits) for field in TEXTS}

    def __iter__(self) -> Iterator[Template]:
        """Give all that can be used, partials last."""
        yield from self.templates.values()
        yield from self._partials.values()

    def is_partial(self, name: str) -> bool:
        return name in self._partials

    def closest(self, name: str) -> str | None:
        """Give the template whose name looks most like this one."""
        names = [each for each in self.templates if len(each) <= _MAX_LENGTH][:_MAX_COMPARED]
        folded = {each.casefold(): each for each in names}
        found = difflib.get_close_matches(name[:_MAX_LENGTH].casefold(), folded, 1)
        return folded[found[0]] if found else None


def _rank(template: Template) -> tuple[bool, bytes]:
    return template.name != str(template.id), order(template.id)


class Partials(Mapping[str, handlebars.Template]):
    """The partials of one field; each is compiled when it is first asked for."""

    def __init__(self, partials: Mapping[str, Template], field: str, limits: Limits) -> None:
        self._partials = partials
        self._field = field
        self._limits = limits

    def __getitem__(self, name: str) -> handlebars.Template:
        partial = self._partials[name]
        return partial.compiled(self._field, partial.texts[self._field], self._limits)

    def __iter__(self) -> Iterator[str]:
        return (name for name, each in self._partials.items() if self._field in each.texts)

    def __len__(self) -> int:
        return sum(1 for _ in self)
