"""An emulator with a client of its control API."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any, TypeAlias

import attrs
import httpx
import pytest

from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett, Quota
from ziett_async.testing.emulator import Emulator

#: What `json.loads` returns.
Json: TypeAlias = Any


KEY = "zk_test_a_long_key_4567"


SEND = {
    "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
    "channel_type": "SMS",
    "target_e164": "+244923456789",
    "content": "O seu código é 482910.",
}


@attrs.frozen
class Harness:
    """An emulator and an HTTP client."""

    emulator: Emulator
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Json:
        """Call the control API; return the JSON of the response."""
        return (await self.request(method, path, body, **headers)).json()

    async def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """Call the control API."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/_emulator{path}", json=body, headers=named)

    async def send(self, key: str = "a", **changes: object) -> httpx.Response:
        """Send a message as a program does."""
        headers = {"X-API-KEY": KEY, "Idempotency-Key": key}
        return await self.http.post("/c/v1/messages", json={**SEND, **changes}, headers=headers)


@pytest.fixture
async def harness() -> AsyncGenerator[Harness]:
    """Serve a Ziett whose limit is three sends a minute."""
    service = FakeZiett(
        clock=AdjustableClock(), balance=100, limits={"send": Quota(3), "list": Quota(5)}
    )
    async with (
        Emulator(service) as emulator,
        httpx.AsyncClient(base_url=emulator.url, timeout=10) as http,
    ):
        yield Harness(emulator, http)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Serve a Ziett from a thread."""
    with Emulator() as emulator:
        yield emulator
