"""Everybody can use it: at a screen reader, with a keyboard, in the dark, on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pymongo.collection import Collection

from tests.browser.conftest import is_ready, open_page, show
from tests.support.console import Console


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


def _failed(mails: Collection[dict[str, Any]]) -> str:
    """An ordinary mail that failed."""
    found = mails.find_one({"delivery.errors": {"$exists": True}, "to": re.compile("^[A-Z]")})
    assert found is not None
    return str(found["_id"])


@pytest.fixture(params=LOOKS)
def looked_at(
    request: pytest.FixtureRequest, chromium: Browser, running: Console, said: list[str]
) -> Any:
    """The page in one of its looks."""
    page = open_page(chromium, said, running.url, **LOOKS[request.param])
    is_ready(page)
    yield request.param, page
    page.context.close()


def test_axe_finds_nothing(
    looked_at: tuple[str, Page],
    mails: Collection[dict[str, Any]],
    said: list[str],
    tmp_path: Path,
) -> None:
    """Neither in the list, nor in a mail, nor in a question; and nothing is too wide."""
    look, page = looked_at
    page.screenshot(path=tmp_path / f"{look}-list.png")
    assert _violations(page) == []
    assert _is_narrow(page)

    page.click("#more-filters summary")
    page.click("[data-kind=retry]")
    page.wait_for_selector("#dialog-do:not([hidden])")
    assert _violations(page) == []
    page.click("#dialog-close")

    show(page, "/templates")
    page.screenshot(path=tmp_path / f"{look}-templates.png")
    assert _violations(page) == []
    assert _is_narrow(page)

    show(page, f"/mail?id={_failed(mails)}")
    page.wait_for_selector("#mail-actions button")
    page.screenshot(path=tmp_path / f"{look}-mail.png")
    assert _violations(page) == []
    assert _is_narrow(page)
    assert said == []


def _is_narrow(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_by_keyboard_alone(page: Page, mails: Collection[dict[str, Any]]) -> None:
    """From the top of the page to a filter, to a mail, through its tabs, to a question and back."""
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    _tab_to(page, "[name=state]")
    page.keyboard.type("ERROR")
    _tab_to(page, "#filter [type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("#list-title")).to_have_text("Mails: ERROR")
    _tab_to(page, "#mails tr:nth-child(2) a")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_be_focused()

    _tab_to(page, "[data-one=retry]")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#dialog-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("[data-one=retry]")).to_be_focused()

    _tab_to(page, "#tab-html")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-text")).to_be_focused()
    expect(page.locator("#panel-text pre")).to_contain_text("thank you")
    page.keyboard.press("End")
    expect(page.locator("#panel-source pre")).to_contain_text('"delivery"')
    page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator("#list-title")).to_have_text("Mails: ERROR")
    assert mails.count_documents({"delivery.state": "RETRY"}) == 0


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until it is there; nobody presses more often."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement?.matches(wanted)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")
