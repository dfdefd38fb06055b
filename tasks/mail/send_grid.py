"""`sendGrid` and `categories` → what the Web API is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tasks.mail import json_values
from tasks.mail.defaults import Defaults
from tasks.mail.fields import lines
from tasks.mail.problems import Problems
from tasks.mail.schema import Document, SendGrid


_UPPER = re.compile(r"[A-Z]")
_MAX_CATEGORIES, _MAX_CATEGORY = 10, 255


def read(document: Document, defaults: Defaults, problems: Problems) -> dict[str, Any]:
    """Give the options, named as in the API; what is wrong goes into `problems`."""
    given = document.send_grid
    if given is None:
        return {}
    if not defaults.letters:
        asked = (document.transport or "").strip()
        fault = f"cannot go over {asked}, which is not SendGrid" if asked else None
        problems.add("sendGrid", fault or "needs the setting SENDGRID_API_KEY")
        return {}
    if given.dynamic_template_data and not given.template_id:
        problems.add("sendGrid.templateId", "is missing, and dynamicTemplateData is for a template")
    return {name: value for name, value in _options(given, problems).items() if value}


def categories(document: Document, defaults: Defaults, problems: Problems) -> tuple[str, ...]:
    """Give each category once."""
    found = tuple(dict.fromkeys(each for each in lines(document.categories) if each))
    if defaults.letters and len(found) > _MAX_CATEGORIES:
        problems.add("categories", f"has {len(found)} items; SendGrid takes {_MAX_CATEGORIES}")
    if defaults.letters and any(len(each) > _MAX_CATEGORY for each in found):
        problems.add("categories", f"has an item of more than {_MAX_CATEGORY} characters")
    return found


def _options(given: SendGrid, problems: Problems) -> dict[str, Any]:
    data, settings = given.dynamic_template_data or {}, given.mail_settings or {}
    return {
        "template_id": given.template_id,
        "dynamic_template_data": json_values.read(
            data, ("sendGrid", "dynamicTemplateData"), problems
        ),
        "mail_settings": _snake_case(
            json_values.read(settings, ("sendGrid", "mailSettings"), problems)
        ),
        "custom_args": {
            name: value for name, value in (given.custom_args or {}).items() if value is not None
        },
        "ip_pool_name": given.ip_pool_name,
    }


def _snake_case(value: Any) -> Any:
    """Name settings as the API does: SendGrid's libraries take sandboxMode for sandbox_mode."""
    if not isinstance(value, Mapping):
        return value
    return {
        _UPPER.sub(lambda match: f"_{match[0].lower()}", name): _snake_case(each)
        for name, each in value.items()
    }
