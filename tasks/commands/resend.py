"""`python -m tasks resend`: what went out goes out once more."""

from __future__ import annotations

from tasks.commands import changing, choosing, output
from tasks.commands.changing import Ask
from tasks.operating.changes import Kind


def resend(  # noqa: PLR0913 - the options are the command
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
    """Send mails that went out (SUCCESS) once more, to every recipient.

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
    changing.run(Ask(Kind.RESEND, ids or [], values, all_mails, yes, as_json))
