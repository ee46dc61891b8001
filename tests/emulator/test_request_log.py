"""The last requests that an emulator received."""

import json

import anyio
import httpx
import pytest

from tests.emulator.conftest import KEY, SEND, Harness
from ziett_async._wire import Request
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing.emulator import Emulator

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


async def test_requests_are_linked_to_what_they_made_or_read(harness: Harness) -> None:
    """With the recipient of a send, even where its answer was lost, and the size of a campaign."""
    message_id = (await harness.send()).json()["message_id"]
    await harness.ask("POST", "/faults", {"kind": "lose_answer"})
    with pytest.raises(httpx.TransportError):
        await harness.send("b", target_e164="+244923000000")
    await harness.send("c", target_e164=923)
    headers = {"X-API-KEY": KEY}
    await harness.http.get(f"/c/v1/messages/{message_id}?x=1", headers=headers)
    body = {**SEND, "recipients": [f"+2449230{n:05}" for n in range(1000)]}
    del body["target_e164"]
    batch = await harness.http.post("/c/v1/campaigns/batch", json=body, headers=headers)
    campaign_id = "019b4b56-e704-7c30-83a0-527df63c3e00"
    await harness.http.get(f"/c/v1/campaigns/{campaign_id}/messages", headers=headers)
    await harness.http.post("/c/v1/messages", content=b"[]", headers=headers)
    requests = (await harness.ask("GET", "/requests"))["requests"][::-1]
    first, lost, wrong, read, big, listed, nothing = requests
    assert (first["to"], first["message_id"]) == (SEND["target_e164"], message_id)
    assert lost["to"] == "+244923000000"
    assert lost["message_id"] == str(harness.emulator.service.messages[1].id)
    assert (wrong["to"], wrong["message_id"]) == (None, None)
    assert (read["to"], read["message_id"]) == (None, message_id)
    assert (big["recipients"], big["body_is_cut"], first["body_is_cut"]) == (1000, True, False)
    assert (big["answer"]["status"], batch.status_code) == (402, 402)
    assert (listed["message_id"], listed["campaign_id"]) == (None, campaign_id)
    assert nothing["to"] is None


@pytest.mark.parametrize("number", ["+244\ud800", "9" * 20_000], ids=["no Unicode", "long"])
async def test_a_recipient_that_is_no_number_is_shown_in_part(
    harness: Harness, number: str
) -> None:
    """One that cannot be encoded would hide every other request; a long one would fill the log."""
    body = json.dumps({**SEND, "target_e164": number}).encode()
    await harness.http.post("/c/v1/messages", content=body, headers={"X-API-KEY": KEY})
    [sent] = (await harness.ask("GET", "/requests"))["requests"]
    assert sent["to"] == number.replace("\ud800", "?")[:100]
    assert (await harness.ask("GET", "/state"))["requests"] == [sent]


async def test_requests_have_their_duration() -> None:
    """Latency and delay included; an answer that never comes has none."""
    async with (
        Emulator(FakeZiett(clock=AdjustableClock()), latency=0.05) as emulator,
        httpx.AsyncClient(base_url=emulator.url, headers={"X-API-KEY": KEY}) as http,
    ):
        emulator.service.faults.add(Fault.slow(0.02), Fault.stall())
        await http.get("/c/v1/messages")
        with anyio.move_on_after(0.2):
            await http.get("/c/v1/messages")
        stalled, slow = (await http.get("/_emulator/requests")).json()["requests"]
    assert 0.07 <= slow["seconds"] < 0.5
    assert stalled["seconds"] is None


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
        log.append(0.0, request, FakeZiett().exchange(request), 0.0)
    assert [entry.number for entry in log.since()] == [2, 3]
    assert [entry.number for entry in log.since(2)] == [3]
    assert log.since(3) == []
