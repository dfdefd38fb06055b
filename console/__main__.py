"""`python -m console`: serves the mail console until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from config import console as console_settings
from config import errors, logs, mongo
from config.console import ConsoleSettings
from config.errors import BadSettings
from config.settings import load_or_exit
from console.app import Console


#: Browsers, and requests of theirs, at once.
_CONNECTIONS = 300
#: Seconds for answers that are under way when it stops.
_GRACE = 5

_log = structlog.get_logger("console")


class _Server(uvicorn.Server):
    def __init__(self, app: ASGIApp, console: Console, chosen: ConsoleSettings) -> None:
        self._console = console
        self._chosen = chosen
        super().__init__(
            uvicorn.Config(
                app,
                host=chosen.console_host,
                port=chosen.console_port,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                # Whoever comes could choose his address, and try passwords under many.
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE,
            )
        )

    async def startup(self, *arguments: object, **named: object) -> None:
        await super().startup(*arguments, **named)  # type: ignore[arg-type]
        if self.started:
            host = self._chosen.console_host
            shown = f"[{host}]" if ":" in host else host
            _log.info("console.listens", url=f"http://{shown}:{self._chosen.console_port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._console.end_all()
        super().handle_exit(sig, frame)


def main() -> None:
    """Run; settings that cannot work end it with code 78."""
    settings = load_or_exit()
    try:
        chosen = console_settings.load()
    except BadSettings as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        raise SystemExit(errors.EXIT_CODE) from None
    logs.configure(settings.log_level, settings.log_format)
    # uvicorn sends itself the signal once more when it has stopped; a clean stop ends with 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: None)
    with mongo.connect(settings, role="console", pool_size=20) as client:
        console = Console(mongo.mail_collection(client, settings), settings, chosen)
        _Server(console.application(), console, chosen).run()


if __name__ == "__main__":
    main()
