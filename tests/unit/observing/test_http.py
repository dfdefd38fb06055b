"""The pages, without a socket."""

from __future__ import annotations

import json
from http import HTTPStatus

from tasks.observing.http import Pages


def _pages(**wrong: object) -> Pages:
    return Pages(metrics=lambda: ("text/plain", b"1"), health=dict, readiness=lambda: wrong)


def test_a_check_without_findings_is_ok() -> None:
    """200, for programs that look at the status only."""
    status, (_, body) = _pages().get("/healthz")

    assert (status, json.loads(body)) == (HTTPStatus.OK, {"status": "ok"})


def test_a_check_says_what_is_wrong() -> None:
    """503, and why."""
    status, (_, body) = _pages(away=["mongodb"]).get("/readyz")

    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert json.loads(body) == {"status": "failed", "away": ["mongodb"]}


def test_other_paths_are_named() -> None:
    """404 tells which there are."""
    status, (_, body) = _pages().get("/")

    assert status == HTTPStatus.NOT_FOUND
    assert b"/metrics" in body
