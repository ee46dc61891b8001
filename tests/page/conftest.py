"""How these tests open the inbox: in Debian's chromium, driven by Playwright."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import attrs
import pytest

from ziett_async.testing import FakeZiett
from ziett_async.testing._desk_clock import DeskClock
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
_CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@attrs.frozen
class Desk:
    """An emulator on whose page the tests look."""

    emulator: Emulator

    @property
    def service(self) -> FakeZiett:
        """Who answers."""
        return self.emulator.service

    def send(self, content: str, to: str = "+244923456789", **more: object) -> str:
        """Send a message over HTTP, as a program does; return its id."""
        body = {
            "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
            "channel_type": "SMS",
            "target_e164": to,
            "content": content,
            **more,
        }
        return str(self.ask("POST", "/messages", body)["message_id"])

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> dict[str, Any]:
        """Make a request; return the JSON of its answer."""
        client = HTTPConnection("127.0.0.1", self.emulator.port, timeout=10)
        headers = {"X-API-KEY": "zk_test_page_1234567", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        with closing(client):
            client.request(method, f"/c/v1{path}", json.dumps(body) if body else None, headers)
            document: dict[str, Any] = json.loads(client.getresponse().read())
        return document


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Serve a Ziett whose messages stay PENDING until somebody marks them."""
    service = FakeZiett(clock=DeskClock(), delivery=None, balance=1000)
    with Emulator(service) as emulator:
        yield Desk(emulator)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start chromium, with a new and empty profile; without one, skip, unless this is CI."""
    if not os.path.exists(_CHROMIUM) and not os.environ.get("CI"):  # noqa: PTH110
        pytest.skip("the inbox is tested in chromium, which is not here: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (it may not be here, either)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()
