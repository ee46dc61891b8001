"""The commands of the control API, as a test in another language uses them."""

import json
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest

from tests.emulator.conftest import KEY, Harness
from ziett_async._clock import SystemClock
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

pytestmark = pytest.mark.anyio


async def test_a_message_is_given_a_status(harness: Harness) -> None:
    """It stays, however far the clock goes, and it is in the history."""
    message_id = (await harness.send()).json()["message_id"]
    order = {"status": "FAILED", "error_code": "PROVIDER_REJECTED"}
    updated = await harness.ask("POST", f"/messages/{message_id}", order)
    await harness.ask("POST", f"/messages/{message_id}", order)
    await harness.ask("POST", "/clock", {"seconds": 60})
    [message] = (await harness.ask("GET", "/messages"))["messages"]
    assert message == updated | {"updated_at": message["updated_at"]}
    assert [(each["status"], each["error_code"]) for each in message["history"]] == [
        ("PENDING", None),
        ("FAILED", "PROVIDER_REJECTED"),
    ]
    for method, body in (("GET", None), ("POST", {"status": "SENT"})):
        assert (await harness.request(method, f"/messages/{uuid4()}", body)).status_code == 404
        answer = await harness.ask(method, "/messages/nonsense", body)
        assert answer["fields"] == {"message_id": "must be a UUID"}


async def test_one_message_is_deleted(harness: Harness) -> None:
    """It is returned a last time; the others stay, and the service knows it no more."""
    ids = [(await harness.send(key)).json()["message_id"] for key in ("a", "b")]
    shown = await harness.ask("GET", f"/messages/{ids[0]}")
    assert await harness.ask("DELETE", f"/messages/{ids[0]}") == shown
    assert [each["id"] for each in (await harness.ask("GET", "/messages"))["messages"]] == ids[1:]
    headers = {"X-API-KEY": KEY}
    assert (await harness.http.get(f"/c/v1/messages/{ids[0]}", headers=headers)).status_code == 404
    assert (await harness.request("DELETE", f"/messages/{ids[0]}")).status_code == 404
    assert (await harness.request("DELETE", "/messages/nonsense")).status_code == 422


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "status", "status": 418, "headers": {"X-Tea": "1"}, "body": "no"}, 418),
        ({"kind": "status", "status": 204, "body": ""}, 204),
        ({"kind": "stored_error"}, 500),
        ({"kind": "gateway_error"}, 502),
        ({"kind": "gateway_error", "status": 504, "headers": {"X-Via": "1"}, "body": "no"}, 504),
        ({"kind": "slow", "seconds": 0.01}, 202),
        ({"kind": "garbage", "body": "{"}, 202),
        ({"kind": "garbage"}, 202),
        ({"kind": "reset"}, None),
        ({"kind": "refuse"}, None),
        ({"kind": "lose_answer"}, None),
        ({"kind": "truncate", "at": 3}, None),
        ({"kind": "running", "seconds": 1}, None),
        ({"kind": "stall", "executes": False}, None),
    ],
)
async def test_every_fault_happens_on_the_wire(
    harness: Harness, order: dict[str, Any], status: int | None
) -> None:
    """Once, to the next request of its operation."""
    added = await harness.request("POST", "/faults", {**order, "operation": "send_message"})
    assert added.status_code == 201
    assert await harness.ask("GET", "/faults") == added.json()
    await harness.http.get("/c/v1/messages", headers={"X-API-KEY": KEY})
    if status is None:
        with pytest.raises((httpx.TransportError, TimeoutError)), anyio.fail_after(1):
            await harness.send()
    else:
        assert (await harness.send()).status_code == status
    assert await harness.ask("GET", "/faults") == {"faults": []}
    assert (await harness.send("other")).status_code == 202


async def test_several_faults_are_added_at_once_and_removed(harness: Harness) -> None:
    """`times` of one kind; without an operation they are for any."""
    await harness.ask("POST", "/faults", {"kind": "reset", "times": 3, "operation": None})
    assert await harness.ask("GET", "/faults") == {
        "faults": [{"label": "reset()", "operation": None}] * 3
    }
    assert await harness.ask("DELETE", "/faults") == {"faults": []}
    assert (await harness.send()).status_code == 202


async def test_the_balance_goes_up_and_down(harness: Harness) -> None:
    """After a negative amount a send is a 402."""
    assert await harness.ask("POST", "/balance", {"amount": "0.50"}) == {"balance": "100.50"}
    assert await harness.ask("POST", "/balance", {"amount": -90}) == {"balance": "10.50"}
    assert await harness.ask("GET", "/balance") == {"balance": "10.50"}
    assert (await harness.send()).status_code == 402


@pytest.mark.parametrize(
    ("name", "listed", "provider"),
    [
        ("site", "target_e164", "provider_name"),
        ("reference", "e164_format", "provider_id"),
        ("conventions", "to", "provider_name"),
    ],
)
async def test_a_dialect_is_chosen_by_name(
    harness: Harness, name: str, listed: str, provider: str
) -> None:
    """Earlier messages are shown in the new dialect; a replay and a reset keep the old one."""
    accepted = await harness.send()
    assert await harness.ask("POST", "/dialect", {"dialect": name}) == {"dialect": name}
    assert await harness.ask("GET", "/dialect") == {"dialect": name}
    headers = {"X-API-KEY": KEY}
    [entry] = (await harness.http.get("/c/v1/messages", headers=headers)).json()["entries"]
    assert entry[listed] == "+244923456789"
    path = f"/c/v1/messages/{accepted.json()['message_id']}"
    assert provider in (await harness.http.get(path, headers=headers)).json()
    again = await harness.send()
    assert (again.content, again.status_code) == (accepted.content, 202)
    assert (await harness.ask("POST", "/reset", {}))["dialect"] == "site"


async def test_a_reset_clears_everything(harness: Harness) -> None:
    """Messages, balance, requests and faults; attempts count from one again."""
    await harness.send()
    await harness.send()
    await harness.ask("POST", "/faults", {"kind": "reset", "operation": "get_message"})
    assert (await harness.ask("GET", "/state"))["messages"][0]["attempts"] == 2
    state = await harness.ask("POST", "/reset", {})
    assert (state["balance"], state["messages"], state["requests"]) == ("100", [], [])
    assert state["faults"] == []
    await harness.send()
    [message] = (await harness.ask("GET", "/state"))["messages"]
    assert message["attempts"] == 1


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/faults", {}, {"kind"}),
        ("/faults", {"kind": "nonsense", "anything": 1}, {"kind"}),
        ("/faults", {"kind": ["reset"]}, {"kind"}),
        ("/faults", {"kind": "reset", "status": 1, "\ud800": 2}, {"status", "\\ud800"}),
        ("/faults", {"kind": "status"}, {"status"}),
        ("/faults", {"kind": "status", "status": None}, {"status"}),
        ("/faults", {"kind": "status", "status": "503"}, {"status"}),
        ("/faults", {"kind": "status", "status": True}, {"status"}),
        ("/faults", {"kind": "status", "status": 503.5}, {"status"}),
        ("/faults", {"kind": "status", "status": 1e300}, {"status"}),
        ("/faults", {"kind": "status", "status": 100}, {"status"}),
        ("/faults", {"kind": "status", "status": 200, "headers": []}, {"headers"}),
        (
            "/faults",
            {
                "kind": "status",
                "status": 200,
                "headers": {"a": 1, "b c": "", "d": "\r\n", "e": "f"},
            },
            {"headers.a", "headers.b c", "headers.d"},
        ),
        ("/faults", {"kind": "status", "status": 200, "body": {}}, {"body"}),
        ("/faults", {"kind": "garbage", "body": "\ud800"}, {"body"}),
        ("/faults", {"kind": "slow", "seconds": -1, "times": 0}, {"seconds", "times"}),
        ("/faults", {"kind": "stall", "executes": "no"}, {"executes"}),
        ("/faults", {"kind": "reset", "operation": "send"}, {"operation"}),
        ("/balance", {}, {"amount"}),
        ("/balance", {"amount": "NaN"}, {"amount"}),
        ("/balance", {"amount": True}, {"amount"}),
        ("/balance", {"amount": -101}, {"amount"}),
        ("/balance", {"amount": "1e13"}, {"amount"}),
        ("/balance", {"amount": "1e-7"}, {"amount"}),
        ("/dialect", {"dialect": "core"}, {"dialect"}),
        ("/dialect", {"name": "site"}, {"dialect", "name"}),
        ("/clock", {"seconds": "60"}, {"seconds"}),
        ("/reset", {"really": True}, {"really"}),
        ("/reset", [], {"body"}),
        (f"/messages/{UUID(int=7)}", {"status": "LOST", "error_code": 5}, {"status", "error_code"}),
    ],
)
async def test_a_refusal_names_every_bad_field(
    harness: Harness, path: str, body: object, fields: set[str]
) -> None:
    """It is the documented error object, and nothing has changed."""
    headers = {"Content-Type": "application/json"}
    content = json.dumps(body)
    answer = await harness.http.post(f"/_emulator{path}", content=content, headers=headers)
    document = answer.json()
    assert (answer.status_code, document["code"]) == (422, "VALIDATION_ERROR")
    assert document["service"] == "emulator"
    assert document["fields"].keys() == fields
    assert await harness.ask("GET", "/faults") == {"faults": []}


async def test_the_clock_stays_before_the_year_10000() -> None:
    """Setting it further forward is a 422."""
    clock = AdjustableClock()
    clock.advance(252_999_999_990 - clock.time())
    async with (
        Emulator(FakeZiett(clock=clock)) as emulator,
        httpx.AsyncClient(base_url=emulator.url) as http,
    ):
        answer = await http.post("/_emulator/clock", json={"seconds": 60})
    assert answer.json()["fields"].keys() == {"seconds"}


async def test_a_clock_that_cannot_be_set_is_a_409() -> None:
    """Such as the machine's own."""
    async with (
        Emulator(FakeZiett(clock=SystemClock())) as emulator,
        httpx.AsyncClient(base_url=emulator.url) as http,
    ):
        answer = await http.post("/_emulator/clock", json={"seconds": 1})
    assert (answer.status_code, answer.json()["service"]) == (409, "emulator")
