"""What operators do with mails: look for them, count them, send them again, stop and remove them.

For the command line and the web console. Nothing here is in the way of a mail: every question is
bounded in time, every write is one that docs/delivery.md allows to anybody.

times       "1h", "2026-03-01T12:00" → times
ids         `_id` of any BSON type ⇄ text
filters     which mails are meant, read from strings
mails       one mail, as people look at it, whatever a service wrote into the document
search      newest first, page by page; counting
counts      how many mails are in each state
changes     retry, resend, cancel, purge
throughput  the last hour by minute
templates   what one has and uses, tried with its sample    template_checks  what is wrong with it
"""
