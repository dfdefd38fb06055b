"""`python -m tasks cancel`: what waits is stopped."""

from __future__ import annotations

from tasks.commands import changing, choosing, output
from tasks.commands.changing import Ask
from tasks.operating.changes import Kind


def cancel(  # noqa: PLR0913 - the options are the command
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
    all_mails: choosing.AllOption = False,
    yes: choosing.YesOption = False,
    as_json: output.Json = False,
) -> None:
    """Stop mails that wait (NEW, PENDING, RETRY). What a worker has in hand goes out.

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
    changing.run(Ask(Kind.CANCEL, ids or [], values, all_mails, yes, as_json))
