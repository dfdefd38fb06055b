"""Tells a receiver of every state a mail comes to: CloudEvents, in order per mail, at least once.

    changes.py    change stream → events: what is watched, and which state is which event
    signing.py    the signature                 receivers.py   EVENTS_URL, EVENTS_HANDLER
    courier.py    lanes with patience           progress.py    what has been delivered up to where
    service.py    lease, stream, resume token   missed.py      what ended while history was lost
    child.py      the process of it, beside the watcher's: sending must not slow the mails down

`python -m watcher.events` is that process; a watcher starts it when one of the two is set.
"""
