"""CPU a mail costs the SMTP client: SmtpTransport beside smtplib, against Postfix's smtp-sink.

python -m bench.smtp [mails]
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from config.smtp import parse
from config.tls import TlsOptions
from local import ports
from tasks.envelope import Mail
from tasks.transport import Session, SmtpTransport


_MAIL = Mail(
    sender="sender@example.com",
    recipients=("recipient@example.com",),
    content=b"Subject: measured\r\n\r\n" + (b"x" * 78 + b"\r\n") * 25,
    message_id="<1@example.com>",
)
_ROUNDS = 20
#: Debian puts Postfix's daemons where users have no PATH.
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/lib/postfix/sbin"


@contextlib.contextmanager
def smtp_sink() -> Iterator[int]:
    """Run Postfix's smtp-sink on a free port."""
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path=_PLACES)
    if program is None:
        sys.exit("smtp-sink is missing: apt-get install postfix")
    port = ports.free()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to stay root
    process = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "128"])
    try:
        _wait_for_greeting(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for_greeting(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            smtplib.SMTP("127.0.0.1", port, timeout=1).quit()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@dataclass(slots=True)
class Way:
    """One way to send a mail, and the least it cost in any round."""

    name: str
    send: Callable[[], object]
    cpu: float = math.inf
    wall: float = math.inf

    def measure(self, mails: int) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(mails):
            self.send()
        self.wall = min(self.wall, (time.perf_counter() - wall) / mails)
        self.cpu = min(self.cpu, (time.process_time() - cpu) / mails)

    def __str__(self) -> str:
        return (
            f"{self.name:30} {self.cpu * 1e6:5.0f} µs CPU {self.wall * 1e6:5.0f} µs"
            f" {1 / self.wall:7.0f} mails/s"
        )


def _submit(session: Session, gate: Callable[[], bool] | None = None) -> None:
    session.submit(_MAIL, deadline=time.monotonic() + 30, before_data=gate)


def _session_each(transport: SmtpTransport) -> None:
    with transport.session(time.monotonic() + 30) as session:
        _submit(session)


def main() -> None:
    mails = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with smtp_sink() as port, contextlib.ExitStack() as stack:
        transport = SmtpTransport(
            parse(f"smtp://127.0.0.1:{port}"),
            TlsOptions(),
            reply_timeout=20,
            idle_seconds=30,
            max_messages=10**9,
        )
        stack.callback(transport.close)
        session = stack.enter_context(transport.session(time.monotonic() + 30))
        client = stack.enter_context(smtplib.SMTP("127.0.0.1", port))
        ways = [
            Way("smtplib, one connection", lambda: _by_smtplib(client)),
            Way("one session, pipelined", lambda: _submit(session)),
            Way("a session each, pipelined", lambda: _session_each(transport)),
            Way("one session, with before_data", lambda: _submit(session, lambda: True)),
        ]
        for _ in range(_ROUNDS):  # in turn: what else the machine does meets all of them
            for way in ways:
                way.measure(mails // _ROUNDS)
    print(*ways, sep="\n")


def _by_smtplib(client: smtplib.SMTP) -> None:
    client.sendmail(_MAIL.sender, _MAIL.recipients, _MAIL.content)


if __name__ == "__main__":
    main()
