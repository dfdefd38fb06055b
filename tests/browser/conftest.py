"""Debian's chromium, driven by playwright, on a console with an hour of mails."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection

from config import mongo
from config.settings import Settings
from local import showcase
from tasks.delivery import indexes
from tests.support import console, console_mails
from tests.support.console import Console


#: It has no sandbox as root, and must look for nothing on the net.
_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
)
FLOWER = "http://127.0.0.1:5555"
MILLISECONDS = 10_000

Mails = Collection[dict[str, Any]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser; each page has a fresh profile of its own."""
    program = shutil.which("chromium")
    assert program is not None, "no chromium on PATH: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mails(mongo_client: MongoClient[dict[str, Any]], mongodb_uri: str) -> Iterator[Mails]:
    """An hour of mails and the templates of examples/, with a hostile one of each."""
    name = "test_browser"
    database = mongo_client.get_database(name)
    collection = database.get_collection("mail", codec_options=mongo.CODEC)
    assert mongodb_uri
    indexes.ensure(collection)
    now = dt.datetime.now(dt.UTC)
    collection.insert_many(console_mails.shop(300, now))
    collection.insert_one(console_mails.hostile(now))
    showcase.insert_templates(database["templates"])
    database["templates"].insert_one(console_mails.hostile_template())
    yield collection
    mongo_client.drop_database(name)


@pytest.fixture(scope="module")
def running(
    mails: Mails, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """The console."""
    settings = Settings(
        _env_file=None,
        mongodb_uri=SecretStr(mongodb_uri),
        mongodb_database=mails.database.name,
        celery_broker_url=SecretStr("redis://127.0.0.1:1"),
        smtp_connection_uri=SecretStr("smtp://127.0.0.1:1"),
        default_from="sender@example.com",
    )
    log = tmp_path_factory.mktemp("console") / "log"
    with console.running(
        settings, log, FLOWER_URL=FLOWER, TEMPLATES_COLLECTION="templates"
    ) as started:
        yield started


@pytest.fixture
def said() -> list[str]:
    """What pages complained about: errors of scripts, and what a policy has blocked."""
    return []


def open_page(chromium: Browser, said: list[str], url: str, **options: Any) -> Page:
    """Open a page, with a profile of its own."""
    page = chromium.new_context(**options).new_page()
    page.set_default_timeout(MILLISECONDS)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    return page


@pytest.fixture
def page(chromium: Browser, running: Console, said: list[str]) -> Iterator[Page]:
    """The list, loaded and live."""
    page = open_page(chromium, said, running.url, viewport={"width": 1280, "height": 900})
    is_ready(page)
    yield page
    page.context.close()


def is_ready(page: Page) -> None:
    """Wait until the list, the chart and the changes are there."""
    page.wait_for_selector("#mails tr")
    page.wait_for_selector("#chart-mails rect")
    page.wait_for_selector("#live[data-state=live]")


def show(page: Page, address: str) -> None:
    """Go to an address of the page, and wait until it is shown."""
    page.evaluate("address => { location.hash = address }", address)
    if address.startswith("/mail"):
        page.wait_for_selector("#mail:not([hidden]) #history li")
    elif address.startswith("/templates"):
        page.wait_for_selector("#templates:not([hidden]) tbody tr")
    else:
        page.wait_for_selector("#mails[aria-busy=false]")
