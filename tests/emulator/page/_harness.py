"""The emulator whose page the tests open, and a program that sends through it."""

import json
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import attrs
from playwright.sync_api import Locator, Page

from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

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
class Harness:
    """An emulator and a program that sends through it."""

    emulator: Emulator

    @property
    def service(self) -> FakeZiett:
        """The service behind the emulator."""
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
