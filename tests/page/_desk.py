"""An emulator on whose page tests look, and what they look at.

On a machine without chromium or Playwright the modules that import this are skipped; where `CI`
is set, they fail.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from importlib.util import find_spec
from typing import Any

import attrs
import pytest

from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

CHROMIUM = shutil.which("chromium")
_LACKING = {
    "apt-get install chromium": CHROMIUM is None,
    "pip install playwright": find_spec("playwright") is None,
}
if any(_LACKING.values()) and not os.environ.get("CI"):
    first = " && ".join(how for how, lacks in _LACKING.items() if lacks)
    pytest.skip(f"the inbox is tested in a browser; first: {first}", allow_module_level=True)

from playwright.sync_api import Locator, Page  # noqa: E402 (only once it is known to be there)

#: Opens the inbox: `open_page("/#/requests", width=390, color_scheme="dark")`.
Open = Callable[..., Page]

ANA = {"name": "Ana Domingos", "email": "ana@example.ao", "tags": ["Premium"]}
SMS = {
    "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
    "channel_type": "SMS",
    "target_e164": "+244923456789",
}


def bubbles(page: Page) -> Locator:
    """Return the texts of the conversation."""
    return page.locator("#thread .bubble")


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
        body = {**SMS, "target_e164": to, "content": content, **more}
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
