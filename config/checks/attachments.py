"""ATTACHMENT_ROOT: whether it is there, and files below it may be opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.patience import Patience
from config.settings import Settings


_SUBJECT = "ATTACHMENT_ROOT"


def check(settings: Settings) -> list[Finding]:
    """Look, when it is set; for the user and the machine that this runs as and on."""
    if settings.attachment_root is None:
        return []
    root = Path(settings.attachment_root)
    try:
        finding = Patience().call(lambda: _look(root), TIMEOUT_SECONDS)
    except TimeoutError:
        advice = "is it on a network file system whose server is away?"
        finding = Finding(_SUBJECT, Level.FAILED, f"{root} does not answer", advice)
    return [finding]


def _look(root: Path) -> Finding:
    advice = "run this as the workers' user, on a worker's machine"
    try:
        is_directory = stat.S_ISDIR(root.stat().st_mode)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Finding(_SUBJECT, Level.FAILED, f"{root} cannot be opened: {reason}", advice)
    if not is_directory:
        return Finding(_SUBJECT, Level.FAILED, f"{root} is no directory")
    # Files are opened by their names: to list the directory is not needed.
    if not os.access(root, os.X_OK, effective_ids=True):
        return Finding(_SUBJECT, Level.FAILED, f"{root} may not be entered by this user", advice)
    return Finding(_SUBJECT, Level.OK, f"{root} can be read from")
