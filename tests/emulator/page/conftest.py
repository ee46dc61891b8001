"""How these tests open the inbox: in Debian's chromium, driven by Playwright."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.emulator.page._harness import Harness, Open
from tests.support.chromium import chromium
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

#: For root, without a display, and silent on the network.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Serve a Ziett whose messages stay PENDING until a test gives them a status."""
    service = FakeZiett(clock=AdjustableClock(), delivery=None, balance=1000)
    with Emulator(service) as emulator:
        yield Harness(emulator)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start chromium, with a new and empty profile."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, harness: Harness) -> Iterator[Open]:
    """Open the inbox.

    At the end the console has no message but what was `excused`, and no other host was requested.
    """
    complaints, addresses = list[str](), list[str]()
    contexts = list[Any]()

    def opened(path: str = "/", *, width: int = 1440, excused: str = "", **options: object) -> Page:
        def heard(complaint: str) -> None:
            if not excused or excused not in complaint:
                complaints.append(complaint)

        size = {"width": width, "height": 844}
        make: Callable[..., Any] = browser.new_context
        settings = {"locale": "en-GB", "timezone_id": "Africa/Luanda", **options}
        context = make(viewport=size, **settings)
        contexts.append(context)
        page: Page = context.new_page()
        page.on("console", lambda message: heard(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(harness.emulator.url + path)
        page.locator("#live[data-state=on]").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert addresses
    assert [each for each in addresses if not each.startswith(harness.emulator.url)] == []
