"""`python -m local.inbox`: the inbox alone, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from local.inbox import smtp, web
from local.inbox.store import Store


logger = logging.getLogger(__name__)


def main(
    smtp_port: Annotated[int, typer.Option(help="Takes mails here.")] = 1025,
    web_port: Annotated[int, typer.Option(help="Shows them here.")] = 8025,
    directory: Annotated[Path, typer.Option(help="Keeps them here.")] = Path(".local/inbox"),
) -> None:
    """Take every mail and show it on a web page; 127.0.0.1 only."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # aiosmtpd logs every command, addresses included.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    asyncio.run(_serve(smtp_port, web_port, directory))


async def _serve(smtp_port: int, web_port: int, directory: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = Store(directory)
    mails = await smtp.serve(store, smtp_port)
    pages = web.serve(store, web_port)
    logger.info("SMTP on port %s, page on http://127.0.0.1:%s", smtp_port, web_port)
    await stop.wait()
    mails.close()
    pages.stop()
    await pages.close_all_connections()


if __name__ == "__main__":
    typer.run(main)
