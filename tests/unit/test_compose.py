"""docker-compose.yml, Procfile and Dockerfile say the same."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.console import ConsoleSettings
from config.flower import FlowerSettings
from config.settings import Settings


ROOT = Path(__file__).parents[2]
SETTINGS = {name.upper() for name in Settings.model_fields}
FLOWERS = {name.upper() for name in FlowerSettings.model_fields}
CONSOLES = {name.upper() for name in ConsoleSettings.model_fields}
#: The name of each Procfile line in docker-compose.yml.
ROLES = {
    "release": "setup",
    **{name: name for name in ("watcher", "worker", "flower", "console")},
}
SCHEMA = ("--builtin-schema", "vendor.compose-spec")
VARIABLE = re.compile(r"\$\{(\w+)")
SECRET = re.compile(
    r"://[^/\s:@]*:[^@\s]+@|(?i:password|secret|token|basic_auth)\W*[:=][ \t]*[^$\s?]"
)


def _text(name: str) -> str:
    return ROOT.joinpath(name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as YAML gives it, with its anchors merged."""
    loaded: dict[str, Any] = yaml.safe_load(_text("docker-compose.yml"))
    return loaded


@pytest.fixture(scope="module")
def procfile() -> dict[str, str]:
    """Role → command."""
    return dict(line.split(": ", 1) for line in _text("Procfile").splitlines())


def test_compose_file_follows_the_specification() -> None:
    """It is valid by the Compose Specification's own JSON schema (check-jsonschema carries it)."""
    check = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *SCHEMA, "docker-compose.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert check.returncode == 0, check.stdout + check.stderr


def test_commands_are_the_procfiles(compose: dict[str, Any], procfile: dict[str, str]) -> None:
    """Containers run what `make run` and every other Procfile runner runs."""
    commands = {role: shlex.split(line) for role, line in procfile.items()}

    assert commands == {role: compose["services"][name]["command"] for role, name in ROLES.items()}


def test_images_default_command_is_the_worker(procfile: dict[str, str]) -> None:
    """`docker run mailtrigger` is a worker, in the exec form: signals reach Python itself."""
    [command] = re.findall(r"^CMD (.+)$", _text("Dockerfile"), re.MULTILINE)

    assert json.loads(command) == shlex.split(procfile["worker"])


def test_every_setting_reaches_the_containers(compose: dict[str, Any]) -> None:
    """A setting in `.env` holds in the containers, too."""
    for name in ROLES.values():
        environment = set(compose["services"][name]["environment"])
        assert environment - FLOWERS - CONSOLES == SETTINGS, name


@pytest.mark.parametrize(("role", "names"), [("flower", FLOWERS), ("console", CONSOLES)])
def test_nobody_else_knows_their_credentials(
    compose: dict[str, Any], role: str, names: set[str]
) -> None:
    """No other container is given what opens the dashboard, or the console."""
    holders = {
        name
        for name, service in compose["services"].items()
        if names & set(service.get("environment", {}))
    }

    assert holders == {role}


def test_variables_are_documented() -> None:
    """Every variable of the compose file stands in .env.example."""
    used = set(VARIABLE.findall(_text("docker-compose.yml")))
    documented = set(re.findall(r"^#?([A-Z_]+)=", _text(".env.example"), re.MULTILINE))

    assert used
    assert used <= documented


@pytest.mark.parametrize(
    "name", ["docker-compose.yml", "Dockerfile", "Procfile", "flowerconfig.py"]
)
def test_no_secret_in_the_file(name: str) -> None:
    """Passwords come from the environment."""
    text = _text(name).replace("FLOWER_BASIC_AUTH=user:password", "")

    assert not SECRET.findall(text)


def test_secret_pattern_would_find_one() -> None:
    """The check above is able to fail."""
    assert SECRET.search("MONGODB_URI: mongodb://a:b@mongo/")
    assert SECRET.search("SMTP_PASSWORD: abc")
    assert not SECRET.search("SMTP_PASSWORD:\n    TLS_OPTIONS:\n")


def test_ports_are_bound_to_loopback(compose: dict[str, Any]) -> None:
    """Nothing of this can be reached from another machine unless somebody changes the file."""
    ports = [port for s in compose["services"].values() for port in s.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_worker_may_finish_its_mails(compose: dict[str, Any]) -> None:
    """The worker is not killed before its leases have run out."""
    grace = compose["services"]["worker"]["stop_grace_period"]

    assert int(grace.removesuffix("s")) > Settings.model_fields["lease_seconds"].default


def test_health_checks_ask_where_the_process_listens(compose: dict[str, Any]) -> None:
    """Watcher and worker serve /healthz there, in compose and in the image by itself."""
    image = _text("Dockerfile")
    [port] = re.findall(r"METRICS_PORT=(\d+)", image)
    [check] = re.findall(r"HEALTHCHECK .*\\\n +CMD (.+)$", image, re.MULTILINE)

    for name in ("watcher", "worker"):
        service = compose["services"][name]
        assert str(service["environment"]["METRICS_PORT"]) == port
        assert service["healthcheck"]["test"] == ["CMD", *json.loads(check)]
    assert f"http://127.0.0.1:{port}/healthz" in check


def test_servers_keep_what_they_are_given(compose: dict[str, Any]) -> None:
    """MongoDB is a replica set; Redis appends to its file and never evicts."""
    mongo = shlex.join(compose["services"]["mongo"]["command"])
    redis = shlex.join(compose["services"]["redis"]["command"])

    assert "--replSet rs0" in mongo
    assert "--appendonly yes" in redis
    assert "--maxmemory-policy noeviction" in redis


def test_two_watchers(compose: dict[str, Any]) -> None:
    """One leads, one stands by; a container name would forbid the second."""
    assert compose["services"]["watcher"]["deploy"]["replicas"] == 2
    assert not [s for s in compose["services"].values() if "container_name" in s]


def test_mailpit_is_for_development(compose: dict[str, Any]) -> None:
    """The inbox that swallows every mail starts in the dev profile only."""
    profiles = {name: s.get("profiles") for name, s in compose["services"].items()}

    assert profiles.pop("mailpit") == ["dev"]
    assert set(profiles.values()) == {None}


def test_dockerignore_lets_in_what_the_dockerfile_copies() -> None:
    """Only named files enter the build; `.env` is not among them."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", _text("Dockerfile"), re.MULTILINE)
    allowed = re.findall(r"^!(\S+)$", _text(".dockerignore"), re.MULTILINE)

    assert sorted(allowed) == sorted({name for line in copied for name in line.split()})
    assert _text(".dockerignore").splitlines()[1] == "*"
