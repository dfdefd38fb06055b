"""What people do in the console, in a real browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, Route, expect
from pymongo.collection import Collection

from config.settings import Settings
from tasks.operating import ids
from tests.browser.conftest import FLOWER, open_page, show
from tests.support import console, console_mails
from tests.support.console import Console


Mails = Collection[dict[str, Any]]


def _one(mails: Mails, **query: Any) -> dict[str, Any]:
    names = {name.replace("__", "."): value for name, value in query.items()}
    found = mails.find_one({"to": re.compile("^[A-Z]"), **names})
    assert found is not None
    return found


def test_a_hostile_mail_is_text(page: Page, said: list[str]) -> None:
    """Whatever its values are: no script runs, nothing is loaded, no element is made of them."""
    asked = _asked_of_others(page)
    name = ids.write(console_mails.hostile(dt.datetime.now(dt.UTC))["_id"])
    expect(page.locator("#mails tr").first).to_contain_text("<script>")
    show(page, f"/mail?id={quote(name)}")
    page.frame_locator("#panel-html iframe").locator("button").wait_for()
    for tab in ("text", "source"):
        page.click(f"#tab-{tab}")
        expect(page.locator(f"#panel-{tab} pre")).to_contain_text("<script>")

    assert page.title() == f"{console_mails.HOSTILE}\\u202egnp.exe · Mailtrigger"
    assert page.locator("main img[src=x], main script").count() == 0
    assert asked == []
    assert page.url.startswith("http://127.0.0.1")
    # What the mail wanted, and the browser refused: a script, two pictures, and no more.
    refused = [text for text in said if "Content Security Policy" in text or "sandbox" in text]
    assert refused
    assert said == refused


def test_a_mail_of_a_template(page: Page, mails: Mails) -> None:
    """It is shown as its template makes it now, and the page says so."""
    use = {"name": "welcome", "data": {"name": "Ada", "shop": {"name": "A shop"}}}
    mails.insert_one({"_id": "made", "to": "ada@example.com", "template": use})
    show(page, "/mail?id=made")

    expect(page.locator("#subject")).to_have_text("Welcome to A shop, Ada")
    expect(page.locator("#mail-template")).to_contain_text("the template as it is now")
    expect(page.frame_locator("#panel-html iframe").locator("h1")).to_contain_text("Ada")
    mails.delete_one({"_id": "made"})


def test_a_hostile_template_is_text(page: Page, said: list[str], tmp_path: Path) -> None:
    """From the list to its preview: no script runs, nothing is loaded, no element is made."""
    asked = _asked_of_others(page)
    page.click("#templates-link")
    expect(page.locator("#templates-rows tr")).to_have_count(6)
    page.click("#templates-rows a:text-is('welcome')")
    page.frame_locator("#template iframe").locator("a").first.wait_for()
    page.screenshot(path=tmp_path / "template.png")
    page.click("#template >> text=All templates")
    page.click("#templates-rows a >> text=<script>")

    page.frame_locator("#template iframe").locator("button").wait_for()
    expect(page.locator("#template pre")).to_contain_text("<script>")
    assert page.locator("main img[src=x], main script").count() == 0
    assert asked == []
    assert [text for text in said if "Security Policy" not in text and "sandbox" not in text] == []


def _asked_of_others(page: Page) -> list[str]:
    """Note what would leave this machine; what a policy forbids does not come so far."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), refuse)
    return asked


def test_pictures_from_the_net_by_a_click(page: Page, running: Console) -> None:
    """Only then the frame's policy lets them in."""
    asked = _asked_of_others(page)
    name = ids.write(console_mails.hostile(dt.datetime.now(dt.UTC))["_id"])
    show(page, f"/mail?id={quote(name)}")
    page.frame_locator("#panel-html iframe").locator("button").wait_for()
    assert asked == []

    with page.expect_event("requestfailed", lambda request: request.url in asked):
        page.click("text=Load them")

    assert page.frames[-1].url.startswith(f"{running.url}/mail/html")


def test_changes_show_by_themselves(page: Page, mails: Mails) -> None:
    """A new mail comes to the top, its state changes, and the counts with it."""
    tile = page.locator("#states [data-state=DRAFT] strong")
    expect(tile).to_have_text("0")
    now = dt.datetime.now(dt.UTC)
    new = {"_id": "live", "to": "Live <live@example.com>", "message": {"subject": "Just now"}}
    delivery = {"state": "PENDING", "startTime": now + dt.timedelta(hours=1), "attempts": 0}
    mails.insert_one({**new, "delivery": delivery})
    first = page.locator("#mails tr").first
    expect(first).to_contain_text("Just now", timeout=10_000)
    expect(first.locator(".state")).to_have_text("PENDING")

    mails.update_one({"_id": "live"}, {"$set": {"delivery.state": "DRAFT"}})

    expect(first.locator(".state")).to_have_text("DRAFT", timeout=10_000)
    expect(tile).to_have_text("1", timeout=10_000)
    mails.delete_one({"_id": "live"})
    expect(page.locator("#mails")).not_to_contain_text("Just now", timeout=10_000)


def test_filter_and_pages(page: Page) -> None:
    """Filters and pages are addresses: back leads back, and one can be sent to somebody."""
    page.fill("[name=recipient]", "ADA")
    page.click("#filter [type=submit]")
    expect(page.locator("#list-title")).to_have_text("Mails found")
    expect(page.locator("#mails tr")).to_have_count(34)
    page.click("#clear")
    expect(page.locator("#mails tr")).to_have_count(50)
    first = page.locator("#mails tr").first.text_content()
    page.click("#older")
    expect(page.locator("#newest")).to_be_visible()
    expect(page.locator("#mails tr").first).not_to_have_text(first or "")
    page.reload()
    expect(page.locator("#newest")).to_be_visible()
    page.click("#newest")
    expect(page.locator("#mails tr").first).to_have_text(first or "")

    show(page, "/?since=yesterday")
    expect(page.locator("#filter-problem")).to_contain_text("since: 'yesterday' is no time")


def test_one_mail_and_flower(page: Page, mails: Mails) -> None:
    """What the server said about whom, and the way into Flower."""
    mail = _one(mails, delivery__errors={"$exists": True})
    show(page, f"/mail?id={mail['_id']}")

    expect(page.locator("#answers tr")).to_contain_text("User unknown")
    expect(page.locator("#answers .outcome")).to_have_text("refused for good")
    expect(page.locator("#history")).to_contain_text("Seen by the watcher")
    links = [link.get_attribute("href") or "" for link in page.locator("#about a").all()]
    assert [link.startswith(f"{FLOWER}/tasks?") for link in links] == [True, True]
    image = page.frame_locator("#panel-html iframe").locator("img")
    assert image.evaluate("image => image.naturalWidth") == 8


def test_retry_of_one(page: Page, mails: Mails) -> None:
    """A question first; then the mail is to be sent again, and the page shows it."""
    mail = _one(mails, **{"delivery.errors": {"$exists": True}})
    show(page, f"/mail?id={mail['_id']}")
    page.click("[data-one=retry]")
    assert _one(mails, _id=mail["_id"])["delivery"]["state"] == "ERROR"

    page.click("#dialog-do")

    expect(page.locator("#dialog-text")).to_have_text("1 of 1 will be sent again.")
    page.click("#dialog-close")
    expect(page.locator("#mail-state .state")).to_have_text("RETRY")
    assert _one(mails, _id=mail["_id"])["delivery"]["state"] == "RETRY"
    mails.replace_one({"_id": mail["_id"]}, mail)


def test_in_doubt_needs_a_tick(page: Page, mails: Mails) -> None:
    """Nobody sends a mail twice by two clicks."""
    mail = _one(mails, delivery__inDoubt=True)
    show(page, f"/mail?id={mail['_id']}")
    page.click("[data-one=retry]")
    expect(page.locator("#dialog-do")).to_be_disabled()

    page.check("#dialog-tick")
    page.click("#dialog-do")

    expect(page.locator("#dialog-text")).to_have_text("1 of 1 will be sent again.")
    page.click("#dialog-close")
    mails.replace_one({"_id": mail["_id"]}, mail)


def test_retry_by_filter(page: Page, mails: Mails) -> None:
    """As many as the question names; those in doubt stay as they are."""
    before = list(mails.find({"delivery.state": "ERROR", "to": re.compile("^Ada")}))
    doubtful = [mail for mail in before if mail["delivery"].get("inDoubt")]
    show(page, "/?state=ERROR&recipient=Ada%20%3C")
    page.click("[data-kind=retry]")
    sure = len(before) - len(doubtful)
    assert sure
    expect(page.locator("#dialog-do")).to_contain_text(f"Retry {sure} ")

    page.click("#dialog-do")

    expect(page.locator("#dialog-text")).to_contain_text(f"{sure} of {len(before)} will be sent")
    page.click("#dialog-close")
    expect(page.locator("#mails tr")).to_have_count(len(doubtful))
    for mail in before:
        mails.replace_one({"_id": mail["_id"]}, mail)


def test_login(chromium: Browser, settings: Settings, said: list[str], tmp_path: Path) -> None:
    """A wrong password is told, the right one opens, logging out closes."""
    password = "correct horse battery"
    log = tmp_path / "console.log"
    with console.running(settings, log, CONSOLE_PASSWORD=password) as closed:
        page = open_page(chromium, said, closed.url)
        for text in ("wrong password", password):
            page.fill("#password", text)
            page.keyboard.press("Enter")
            if text != password:
                expect(page.locator("#problem")).to_have_text("This is not the password.")
        page.wait_for_selector("#live[data-state=live]")
        page.click("#logout")
        expect(page.locator("#password")).to_be_visible()
        page.goto(f"{closed.url}/#/?state=ERROR")
        expect(page.locator("#password")).to_be_visible()
        page.context.close()


def test_the_console_comes_back(
    chromium: Browser, settings: Settings, said: list[str], tmp_path: Path
) -> None:
    """While it is away the page says so; afterwards it begins anew by itself."""
    with console.running(settings, tmp_path / "one.log") as first:
        page = open_page(chromium, said, f"{first.url}/#/?state=ERROR")
        page.wait_for_selector("#live[data-state=live]")
    page.wait_for_selector("#live[data-state=offline]")
    with console.running(settings, tmp_path / "two.log", port=first.port):
        page.wait_for_selector("#live[data-state=live]", timeout=20_000)
        expect(page.locator("#list-title")).to_have_text("Mails: ERROR")
        page.context.close()
