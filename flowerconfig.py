"""Flower reads this file from the working directory; see config/flower.py for the reasons.

Only names that are Flower's options count; all else here begins with an underscore.
"""

from __future__ import annotations

import sys as _sys

from tornado.options import options as _given

from config import errors as _errors
from config import flower as _flower


try:
    globals().update(_flower.options(_flower.load(), _given.as_dict()))
except _errors.BadSettings as _error:
    print(*_error.problems, sep="\n", file=_sys.stderr)  # noqa: T201
    raise SystemExit(_errors.EXIT_CODE) from None

#: The newest tasks kept in memory; its pages become slow with more.
max_tasks = 20_000
#: Milliseconds; a busy worker answers late.
inspect_timeout = 3_000.0
#: Seconds.
purge_offline_workers = 600
