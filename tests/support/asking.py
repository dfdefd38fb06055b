"""What a process says on its METRICS_PORT."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from local.processes import Server


@dataclass(frozen=True)
class Asked:
    """A process's METRICS_PORT."""

    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Ask for a page; raises OSError when nobody listens."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def says(self, path: str) -> tuple[int, dict[str, Any]]:
        """Ask for a check."""
        status, body = self.get(path)
        return status, json.loads(body)

    def sample(self, name: str, **labels: str) -> float | None:
        """Read one figure."""
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for each in family.samples:
                if each.name == name and each.labels == labels:
                    return float(each.value)
        return None


def asked(server: Server) -> Asked:
    """Find the port in the log of a process that was started with METRICS_PORT."""
    for line in server.log.read_text().splitlines():
        if '"metrics.served"' in line:
            return Asked(json.loads(line)["port"])
    raise LookupError(f"no metrics.served in the log of {server.name}")
