from __future__ import annotations

import pytest

from tasks.mail.handlebars import TemplateError
from tests.unit.mail.handlebars.samples import Case, read_cases, rendered


#: differential.json: questions asked of upstream while this was written, and templates from
#: grammar.py.
CASES = [*read_cases("cases.json"), *read_cases("differential.json")]


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.category}-{number}" for number, case in enumerate(CASES)]
)
def test_as_upstream(case: Case) -> None:
    """A template gives what handlebars.js 4.7.10 gives, or is an error where it is one there."""
    if case.expected is None:
        with pytest.raises(TemplateError):
            rendered(case.template, case.context, partials=case.partials, escape=case.escape)
    else:
        text = rendered(case.template, case.context, partials=case.partials, escape=case.escape)
        assert text == case.expected
