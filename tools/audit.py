"""Known vulnerabilities of the pinned packages: `python -m tools.audit`.

pip-audit asks PyPI. Where PyPI's service cannot be reached it says so, and does not pretend to have
looked; what can be checked without it is checked in any case: every package is pinned to one
version, and what is installed is what is pinned. Exit code 1 for a finding.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z, ]+\])?==([^\s;]+)(\s*;.*)?")
#: Not ours: what `python -m venv` brings.
_OF_THE_ENVIRONMENT = frozenset({"pip", "setuptools", "wheel"})
#: Seconds for one answer of PyPI.
_TIMEOUT = "10"


def main() -> int:
    """Print what was found, and what could not be asked."""
    pins = read_pins(CONSTRAINTS.read_text(encoding="utf-8"))
    installed = {plain(each.name): each.version for each in importlib.metadata.distributions()}
    problems = list(unpinned(installed, pins))
    report = _ask()
    for problem in (*problems, *vulnerable(report)):
        print(problem)
    print(summary(report))
    return 1 if problems or list(vulnerable(report)) else 0


def plain(name: str) -> str:
    """Give a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(text: str) -> dict[str, str]:
    """Read `name==version` lines; raises ValueError for a line that pins nothing."""
    pins: dict[str, str] = {}
    for line in text.splitlines():
        requirement = line.partition("#")[0].strip()
        if not requirement:
            continue
        match = _PIN.fullmatch(requirement)
        if match is None:
            raise ValueError(f"constraints.txt: {requirement!r} does not pin one version")
        pins[plain(match[1])] = match[2]
    return pins


def unpinned(installed: Mapping[str, str], pins: Mapping[str, str]) -> Iterable[str]:
    """Name the installed packages that are pinned to another version, or not at all."""
    for name, version in sorted(installed.items()):
        if name in _OF_THE_ENVIRONMENT:
            continue
        if name not in pins:
            yield f"audit: {name} {version} is installed, but constraints.txt does not pin it"
        elif pins[name] != version:
            yield f"audit: {name} {version} is installed, but constraints.txt has {pins[name]}"


def vulnerable(report: Mapping[str, Any]) -> Iterable[str]:
    """Name the packages of a report of pip-audit that have a known vulnerability."""
    for package in report.get("dependencies", []):
        for found in package.get("vulns", []):
            fixed = ", ".join(found.get("fix_versions", [])) or "no version yet"
            yield f"audit: {package['name']} {package['version']}: {found['id']}, mended in {fixed}"


def summary(report: Mapping[str, Any]) -> str:
    """Say how many packages PyPI was asked about."""
    packages = report.get("dependencies", [])
    asked = sum("vulns" in package for package in packages)
    if not asked:
        return "audit: PyPI's vulnerability service could not be reached: nothing is known"
    return f"audit: PyPI knows {asked} of {len(packages)} packages"


def _ask() -> dict[str, Any]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "-f", "json"]
    options = ["-r", str(CONSTRAINTS), "--progress-spinner", "off", "--timeout", _TIMEOUT]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return report


if __name__ == "__main__":
    sys.exit(main())
