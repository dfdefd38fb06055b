"""`python -m watcher`: runs until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from config import logs, mongo
from config.settings import load_or_exit


def main() -> None:
    """Run the watcher; a clean stop saves the resume token and frees the leadership."""
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    # Only now: these read the settings, too, and would say the same lines twice.
    from tasks.observing import tracing  # noqa: PLC0415
    from watcher.service import run  # noqa: PLC0415

    tracing.begin(settings, "watcher")
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with mongo.connect(settings, role="watcher", pool_size=8) as client:
        run(mongo.mail_collection(client, settings), settings, stop)


if __name__ == "__main__":
    main()
