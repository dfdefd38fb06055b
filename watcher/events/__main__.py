"""`python -m watcher.events`: sends events until SIGTERM; a watcher starts it."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from config import errors, logs, mongo
from config.settings import load_or_exit


def main() -> None:
    """Run; with `--tied` no longer than standard input is open."""
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    # Only now: these read the settings, too, and would say the same lines twice.
    from tasks.observing import starting  # noqa: PLC0415
    from watcher.events import receivers  # noqa: PLC0415
    from watcher.events.service import Sender  # noqa: PLC0415

    try:
        receiver = receivers.of(settings)
    except receivers.NoReceiver as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise SystemExit(errors.EXIT_CODE) from None
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if "--tied" in sys.argv[1:]:
        threading.Thread(target=_await_end_of_input, args=(stop,), daemon=True).start()
    starting.watch_over(settings)
    with mongo.connect(settings, role="events", pool_size=4) as client:
        Sender(mongo.mail_collection(client, settings), settings, receiver, stop).run()


def _await_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    stop.set()


if __name__ == "__main__":
    main()
