"""What is wrong with a template, in words for its author."""

from __future__ import annotations

from tasks.mail.handlebars import TemplateError
from tasks.mail.problems import quote


#: Bound of the engine → the setting that has it.
BOUNDS = {
    "template_size": "TEMPLATE_SIZE",
    "tokens": "TEMPLATE_TOKENS",
    "nesting": "TEMPLATE_NESTING",
    "partial_depth": "TEMPLATE_PARTIAL_DEPTH",
    "steps": "TEMPLATE_STEPS",
    "output_size": "TEMPLATE_OUTPUT_SIZE",
    "seconds": "TEMPLATE_SECONDS",
}

#: How the name begins under which the engine knows a partial; a template's has nothing before it.
_PARTIAL = "partial "


def engine_name(name: str, *, partial: bool) -> str:
    """Give what the engine shall call a template: it knows no difference between the two."""
    return f"{_PARTIAL}{name}" if partial else f" {name}"


def words(error: TemplateError, where: str) -> str:
    """Say what is wrong; `where` is the field: `html`, or `attachments.0.filename`.

    `html, line 3, column 5: expected …`, or `html: partial "footer", line 1, column 2: …`.
    """
    if error.template.startswith(_PARTIAL):
        where = f"{where}: partial {quote(error.template.removeprefix(_PARTIAL))}"
    place = "" if error.line is None else f", line {error.line}, column {error.column}"
    bound = f" ({BOUNDS[error.bound]})" if error.bound in BOUNDS else ""
    return f"{where}{place}: {error.message}{bound}"
