"""`python -m tasks retry`: what failed is sent again."""

from __future__ import annotations

from typing import Annotated

import typer

from tasks.commands import changing, choosing, output
from tasks.commands.changing import Ask
from tasks.operating.changes import Kind


def retry(  # noqa: PLR0913 - the options are the command
    ids: choosing.IdsArgument = None,
    *,
    state: choosing.StateOption = None,
    recipient: choosing.RecipientOption = None,
    template: choosing.TemplateOption = None,
    since: choosing.SinceOption = None,
    until: choosing.UntilOption = None,
    text: choosing.TextOption = None,
    transport: choosing.TransportOption = None,
    priority: choosing.PriorityOption = None,
    in_doubt: Annotated[
        bool, typer.Option("--in-doubt", help="Also what somebody may have got: it may be doubled.")
    ] = False,
    all_mails: choosing.AllOption = False,
    yes: choosing.YesOption = False,
    as_json: output.Json = False,
) -> None:
    """Send failed mails again (ERROR; CANCELLED when named by id or by --state).

    Give ids, or a filter. Exit code: 0 done, 1 a mail that was named could not be changed.
    """
    values = {
        "state": state,
        "recipient": recipient,
        "template": template,
        "since": since,
        "until": until,
        "text": text,
        "transport": transport,
        "priority": priority,
    }
    changing.run(Ask(Kind.RETRY, ids or [], values, all_mails, yes, as_json, in_doubt=in_doubt))
