"""The last requests that an emulator received."""

import json

import anyio
import httpx
import pytest

from tests.emulator.conftest import KEY, SEND, Harness
from ziett_async._wire import Request
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.testing import FakeZiett

pytestmark = pytest.mark.anyio


async def test_requests_are_shown_with_their_responses(harness: Harness) -> None:
    """Carried out, replayed, or lost before the service; no API key is shown in full."""
    await harness.send()
    await harness.send()
    await harness.ask("POST", "/faults", {"kind": "lose_answer"})
    with pytest.raises(httpx.TransportError):
        await harness.send("b")
    await harness.ask("POST", "/faults", {"kind": "refuse"})
    with pytest.raises(httpx.TransportError):
        await harness.send("c")
    await harness.ask("POST", "/faults", {"kind": "stall", "executes": False})
    with anyio.move_on_after(0.5):
        await harness.http.get("/c/v1/messages", headers={"X-API-KEY": KEY})
    await harness.http.get("/c/v1/nothing", headers={"X-API-KEY": "zk_live_secret_1234"})
    page = await harness.http.get("/_emulator/requests")
    assert KEY not in page.text
    assert "zk_live_secret_1234" not in page.text
    live, stalled, refused, lost, again, first = page.json()["requests"]
    assert first["answer"]["status"] == again["answer"]["status"] == lost["answer"]["status"] == 202
    assert json.loads(first["body"]) == SEND
    assert json.loads(first["answer"]["body"]).keys() == {"message_id"}
    assert (first["operation"], first["bucket"]) == ("send_message", "send")
    assert [each["replayed"] for each in (first, again, lost)] == [False, True, False]
    assert [each["ending"] for each in (first, lost, refused, stalled)] == [
        "answered", "reset", "refused", "stalled",
    ]  # fmt: skip
    assert (refused["executed"], refused["answer"], refused["operation"]) == (False, None, None)
    assert (stalled["delay"], stalled["operation"]) == (None, "list_messages")
    assert (live["answer"]["status"], live["api_key"]) == (401, "zk_live_…1234")
    assert [each["number"] for each in (first, live)] == [1, 6]


async def test_long_bodies_are_cut_off(harness: Harness) -> None:
    """The log has the first 8192 bytes of a request and of a response."""
    for _ in range(30):
        harness.emulator.service.add_message(content="x" * 1600)
    await harness.http.get("/c/v1/messages", headers={"X-API-KEY": "zk_test_x"})
    await harness.send(content="y" * 20_000)
    [sent, listed] = (await harness.ask("GET", "/requests?limit=2"))["requests"]
    assert len(sent["body"]) == len(listed["answer"]["body"]) == 8192
    assert listed["api_key"] == "zk_test_…"


async def test_the_log_keeps_the_last_requests() -> None:
    """Their numbers count all requests."""
    log, request = RequestLog(max_entries=2), Request("GET", "/c/v1/messages", ())
    for _ in range(3):
        log.append(0.0, request, FakeZiett().exchange(request), None)
    assert [entry.number for entry in log.since()] == [2, 3]
    assert [entry.number for entry in log.since(2)] == [3]
    assert log.since(3) == []
