"""How these tests open the inbox: in Debian's chromium, driven by Playwright."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ziett_async.testing import FakeZiett
from ziett_async.testing._desk_clock import DeskClock
from ziett_async.testing.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.page._desk import Desk, Open

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
def desk() -> Iterator[Desk]:
    """Serve a Ziett whose messages stay PENDING until somebody marks them."""
    from tests.page._desk import Desk  # noqa: PLC0415 (it skips the module that imports it)

    service = FakeZiett(clock=DeskClock(), delivery=None, balance=1000)
    with Emulator(service) as emulator:
        yield Desk(emulator)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start chromium, with a new and empty profile."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (it may not be here)

    from tests.page._desk import CHROMIUM  # noqa: PLC0415 (as above)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, desk: Desk) -> Iterator[Open]:
    """Open the inbox.

    At the end nothing was complained of in the console but what was `excused`, and nobody else
    was talked to.
    """
    complaints, addresses = list[str](), list[str]()
    contexts = list[Any]()

    def opened(path: str = "/", *, width: int = 1440, excused: str = "", **options: object) -> Page:
        def heard(complaint: str) -> None:
            if not excused or excused not in complaint:
                complaints.append(complaint)

        size = {"width": width, "height": 844}
        make: Callable[..., Any] = browser.new_context
        context = make(viewport=size, locale="en-GB", timezone_id="Africa/Luanda", **options)
        contexts.append(context)
        page: Page = context.new_page()
        page.on("console", lambda message: heard(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(desk.emulator.url + path)
        page.get_by_text("Live", exact=True).wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert addresses
    assert [each for each in addresses if not each.startswith(desk.emulator.url)] == []
