"""Servers that one test may stop, kill and empty."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import broker as redis_compatible
from local import mongo, ports
from local.processes import Server


@dataclass(frozen=True)
class Broker:
    """A Redis-compatible server."""

    server: Server
    url: str


@dataclass(frozen=True)
class ReplicaSet:
    """Its members by port."""

    members: dict[int, Server]

    @property
    def uri(self) -> str:
        """MONGODB_URI of the set."""
        return mongo.uri(list(self.members))

    @property
    def only(self) -> Server:
        """The one member it has."""
        [member] = self.members.values()
        return member


@contextlib.contextmanager
def broker(directory: Path) -> Iterator[Broker]:
    """Run a Redis-compatible server; fails when there is no program for it."""
    program = redis_compatible.find_program()
    assert program is not None, "no Redis-compatible server: run `make install`"
    port = ports.free()
    server = redis_compatible.server(
        program, port=port, directory=directory / "broker", log=directory / "broker.log"
    )
    server.start()
    try:
        yield Broker(server, redis_compatible.url(port))
    finally:
        server.kill()


@contextlib.contextmanager
def replica_set(
    directory: Path, *, members: int = 1, oplog_mb: int | None = None
) -> Iterator[ReplicaSet]:
    """Run a replica set of so many members; fails when there is no mongod."""
    program = mongo.find_program()
    assert program is not None, "no mongod: run `make install`, or put one on PATH"
    servers: dict[int, Server] = {}
    try:
        for number in range(members):
            port = ports.free()
            data, log = directory / f"mongod{number}", directory / f"mongod{number}.log"
            servers[port] = server = mongo.member(program, port=port, directory=data, log=log)
            if oplog_mb is not None:
                # The oplog is not cut behind the last checkpoint: one a second instead of a minute.
                command = _with_option(server.command, "--oplogSize", str(oplog_mb))
                server.command = [*command, "--syncdelay", "1"]
            server.start()
        mongo.initiate(list(servers))
        yield ReplicaSet(servers)
    finally:
        for server in servers.values():
            server.kill()


def _with_option(command: Sequence[str], name: str, value: str) -> list[str]:
    changed = list(command)
    changed[changed.index(name) + 1] = value
    return changed
