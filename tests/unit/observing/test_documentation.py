"""docs/metrics.md, docs/grafana.json and docs/alerts.yml name what there is, and all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from tasks.observing.metrics import WatcherMetrics, WorkerMetrics


DOCS = Path(__file__).parents[3] / "docs"
ROW = re.compile(r"^\| `(mailtrigger_\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"mailtrigger_\w+")
SELECTOR = re.compile(r"(mailtrigger_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)="(\w+)"')


@pytest.fixture(scope="module")
def metrics() -> dict[str, Metric]:
    """Every metric of ours, by the name that a query uses."""
    registry = CollectorRegistry()
    WorkerMetrics(registry)
    WatcherMetrics(registry)
    return {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: metric
        for metric in registry.collect()
    }


@pytest.fixture(scope="module")
def series(metrics: dict[str, Metric]) -> set[str]:
    """Every name under which Prometheus keeps one of them."""
    parts = {
        f"{name}_{part}"
        for name, metric in metrics.items()
        if metric.type == "histogram"
        for part in ("bucket", "sum", "count")
    }
    return parts | {name for name, metric in metrics.items() if metric.type != "histogram"}


def _text(name: str) -> str:
    return DOCS.joinpath(name).read_text(encoding="utf-8")


def _dashboard_queries() -> list[str]:
    panels = json.loads(_text("grafana.json"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(_text("alerts.yml"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_page_has_every_metric_with_its_kind(metrics: dict[str, Metric]) -> None:
    """None is missing, none is invented."""
    described = {name: kind for name, kind, _, _ in ROW.findall(_text("metrics.md"))}

    assert described == {name: metric.type for name, metric in metrics.items()}


def test_the_page_says_what_the_help_says(metrics: dict[str, Metric]) -> None:
    """Both begin with the same words."""
    for name, _, _, meaning in ROW.findall(_text("metrics.md")):
        said = metrics[name].documentation.partition(".")[0].partition(";")[0].partition(":")[0]
        assert meaning.replace("`", "").startswith(said), name


def test_the_page_has_every_value_of_every_label(metrics: dict[str, Metric]) -> None:
    """Those that are known before the first mail."""
    for name, _, labels, _ in ROW.findall(_text("metrics.md")):
        known = {
            (label, value)
            for sample in metrics[name].samples
            for label, value in sample.labels.items()
            if label not in ("le", "priority")
        }
        for label, value in known:
            assert f"`{label}`" in labels, name
            assert re.search(rf"\b{value}\b", labels), (name, value)


def test_names_follow_the_conventions(metrics: dict[str, Metric]) -> None:
    """One prefix, base units, `_total` for what only grows."""
    for name, metric in metrics.items():
        assert re.fullmatch(r"mailtrigger_[a-z]+(_[a-z]+)*", name)
        assert metric.documentation.endswith(".")
        assert not name.endswith(("_ms", "_milliseconds", "_minutes"))


def test_every_query_of_the_dashboard_names_what_there_is(series: set[str]) -> None:
    """A panel without data would be found in the night it is needed."""
    queries = _dashboard_queries()

    assert len(queries) > 10
    for query in queries:
        named = set(NAME.findall(query))
        assert named, query
        assert named <= series, query


def test_every_metric_is_on_the_dashboard(metrics: dict[str, Metric]) -> None:
    """What is worth counting is worth looking at."""
    text = " ".join(_dashboard_queries())

    assert [name for name in metrics if name not in text] == []


def test_every_alert_names_what_there_is_and_says_why(series: set[str]) -> None:
    """An alert without a reason is switched off by whoever it wakes."""
    for rule in _rules():
        assert set(NAME.findall(rule["expr"])) <= series, rule["alert"]
        assert len(rule["annotations"]["why"]) > 20, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
    assert len({rule["alert"] for rule in _rules()}) == len(_rules())


def test_label_values_in_queries_exist(metrics: dict[str, Metric]) -> None:
    """`outcome="failed"` would never fire."""
    known = {
        (name, label, value)
        for name, metric in metrics.items()
        for sample in metric.samples
        for label, value in sample.labels.items()
    }
    states = {("mailtrigger_backlog_mails", "state", "PENDING")}  # counted while it leads
    for query in [*_dashboard_queries(), *(rule["expr"] for rule in _rules())]:
        for series_name, matchers in SELECTOR.findall(query):
            name = re.sub(r"_(bucket|sum|count)$", "", series_name)
            for label, value in MATCHER.findall(matchers):
                assert (name, label, value) in known | states, query
