"""Messages, campaigns and limits as the control API shows them."""

from uuid import uuid4

import attrs
import httpx
import pytest

from tests.emulator.conftest import KEY, SEND, Harness
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views
from ziett_async.testing import FakeZiett

pytestmark = pytest.mark.anyio


async def test_a_message_is_shown_in_full(harness: Harness) -> None:
    """With its contact, parts, codes, key, attempts and history."""
    contact = {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium"]}
    for _ in range(2):
        await harness.send(save_contact=contact)
    await harness.ask("POST", "/clock", {"seconds": 60})
    state = await harness.ask("GET", "/state")
    [message] = state["messages"]
    assert message["contact"] == contact
    assert message["codes"] == ["482910"]
    assert (message["idempotency_key"], message["attempts"]) == ("a", 2)
    assert message["segments"] == {
        "encoding": "UCS-2", "parts": 1, "units": 22, "room": 70, "because_of": "ó",
    }  # fmt: skip
    assert [change["status"] for change in message["history"]] == ["PENDING", "SENT", "DELIVERED"]
    assert message["history"][-1]["at"] == message["updated_at"]
    assert (state["balance"], state["messages_in_all"]) == ("85", 1)
    assert message == await harness.ask("GET", f"/messages/{message['id']}")


async def test_a_code_is_what_a_test_would_read(harness: Harness) -> None:
    """One rule for `codes` and for `last_code`: no amount, and no order number."""
    await harness.send(content="Pedido 55123, 15000 Kz. O código é 482910.")
    [message] = (await harness.ask("GET", "/messages"))["messages"]
    assert message["codes"] == ["482910"]
    assert harness.emulator.service.last_code("+244923456789") == "482910"


async def test_messages_are_found_by_number_text_and_id(harness: Harness) -> None:
    """The newest come first, `limit` of them at most."""
    ids = [(await harness.send(str(n), content=f"Text {n}")).json()["message_id"] for n in range(2)]
    harness.emulator.service.add_message(target_e164="+351912345678", content="Text")
    for query, found in (
        ({"to": "+244923456789"}, [*reversed(ids)]),
        ({"to": "+244923456789", "limit": "1"}, ids[1:]),
        ({"q": "Text 0"}, ids[:1]),
        ({"q": "24492"}, [*reversed(ids)]),
        ({"q": ids[1]}, ids[1:]),
        ({"to": "+1"}, []),
    ):
        page = await harness.ask("GET", f"/messages?{httpx.QueryParams(query)}")
        assert [message["id"] for message in page["messages"]] == found
    assert (await harness.ask("GET", "/messages"))["messages_in_all"] == 3


async def test_campaigns_and_other_channels_are_shown_too(harness: Harness) -> None:
    """A campaign has its name; only an SMS has parts."""
    body = {**SEND, "recipients": ["+244923000001", "+244923000002"], "name": "July"}
    del body["target_e164"]
    await harness.http.post("/c/v1/campaigns/batch", json=body, headers={"X-API-KEY": KEY})
    [message, _] = (await harness.ask("GET", "/messages"))["messages"]
    assert message["campaign"]["name"] == "July"
    service = harness.emulator.service
    service.put(attrs.evolve(service.messages[0], channel_type="WHATSAPP"))
    [_, message] = (await harness.ask("GET", "/messages"))["messages"]
    assert message["segments"] is None


async def test_a_campaign_is_shown_with_what_became_of_its_messages(harness: Harness) -> None:
    """By status, with its cost and its parts; the newest campaign first."""
    numbers = [f"+24492300000{n}" for n in range(3)]
    body = {**SEND, "recipients": numbers, "name": "July"}
    del body["target_e164"]
    headers = {"X-API-KEY": KEY, "Idempotency-Key": "july"}
    await harness.http.post("/c/v1/campaigns/batch", json=body, headers=headers)
    [message, _, deleted] = (await harness.ask("GET", "/messages"))["messages"]
    await harness.ask("POST", f"/messages/{message['id']}", {"status": "FAILED"})
    await harness.ask("DELETE", f"/messages/{deleted['id']}")
    [campaign] = (await harness.ask("GET", "/campaigns"))["campaigns"]
    assert campaign == {
        "id": message["campaign"]["id"],
        "name": "July",
        "status": "PROCESSING",
        "content": SEND["content"],
        "segments": message["segments"],
        "recipients": 3,
        "statuses": {"FAILED": 1, "PENDING": 1},
        "cost": "30",
        "idempotency_key": "july",
        "created_at": campaign["created_at"],
        "completed_at": None,
    }
    assert (await harness.ask("GET", "/state"))["campaigns"] == [campaign]
    await harness.ask("POST", "/clock", {"seconds": 3600})
    [campaign] = (await harness.ask("GET", "/campaigns?limit=1"))["campaigns"]
    assert (campaign["status"], campaign["completed_at"] is None) == ("COMPLETED", False)


async def test_the_clock_shows_by_how_much_it_was_advanced(harness: Harness) -> None:
    """In whole seconds; a service on another clock shows none."""
    assert (await harness.ask("GET", "/state"))["advanced"] == 0
    await harness.ask("POST", "/clock", {"seconds": 3600})
    await harness.ask("POST", "/clock", {"seconds": 60})
    assert (await harness.ask("GET", "/state"))["advanced"] == 3660
    service = FakeZiett()
    assert Views(service, RequestLog()).account()["advanced"] == 0


async def test_everything_is_exported_in_one_file(harness: Harness) -> None:
    """The oldest first, however many there are; a browser saves it under a name."""
    for number in range(1100):
        harness.emulator.service.add_message(content=f"Text {number}")
    answer = await harness.http.get("/_emulator/export")
    assert 'filename="ziett-messages.json"' in answer.headers["content-disposition"]
    messages = answer.json()["messages"]
    assert [each["content"] for each in messages] == [f"Text {n}" for n in range(1100)]


async def test_reading_the_limits_does_not_use_them(harness: Harness) -> None:
    """Before any request, of one key, when empty, and when full again."""
    [send, _] = (await harness.ask("GET", "/limits"))["limits"]
    assert send == {
        "api_key": "", "bucket": "send", "limit": 3, "per": 60.0, "free": 3, "wait": 0,
    }  # fmt: skip
    for free in (2, 1, 0, 0):
        await harness.send(str(uuid4()))
        for _ in range(2):
            [send, lists] = (await harness.ask("GET", "/limits"))["limits"]
            assert (send["free"], lists["free"]) == (free, 5)
    assert send["api_key"] == "zk_test_…4567"
    assert 50 < send["wait"] <= 60
    now = (await harness.ask("GET", "/clock"))["now"]
    assert (await harness.ask("POST", "/clock", {"seconds": 60.5}))["now"] > now
    [send, _] = (await harness.ask("GET", "/limits"))["limits"]
    assert send["free"] == 3
