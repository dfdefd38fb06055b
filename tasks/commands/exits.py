"""Exit codes; docs/command-line.md explains them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0  #: as asked; a mail: SUCCESS
    FAILED = 1  #: a mail: ERROR; doctor: something is broken; nobody confirmed
    USAGE = 2  #: a wrong argument: nothing was done
    NOT_FOUND = 3  #: there is no such mail
    UNSETTLED = 4  #: a mail: it waits, is in work, or was held back
    IN_DOUBT = 5  #: a mail: ERROR, and nobody knows whether somebody has got it
    UNAVAILABLE = 69  #: MongoDB or Redis does not answer (sysexits.h: EX_UNAVAILABLE)
    INTERRUPTED = 130  #: Ctrl-C
