"""The control API, as a test in another language uses it: over HTTP, on both event loops."""

import json
import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import anyio
import anyio.abc
import attrs
import httpx
import pytest

from tests.support.requests import message, request_of
from ziett_async._clock import ManualClock, SystemClock
from ziett_async._wire import Request
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator.control.events import EventStream
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views
from ziett_async.testing import FakeZiett, MessageRecord, Quota
from ziett_async.testing.emulator import Emulator

pytestmark = pytest.mark.anyio

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


class Listener:
    """A client that reads server-sent events."""

    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self._stream = stream
        self._read = ""

    async def until(self, name: str) -> Json:
        """Return the data of the next event of this name."""
        found = None
        with anyio.fail_after(10):
            while not (found := re.search(rf"event: {name}\ndata: (.*)\n\n", self._read)):
                self._read += (await self._stream.receive()).decode()
        self._read = self._read[found.end() :]
        return json.loads(found[1])


async def test_a_message_is_shown_in_full(harness: Harness) -> None:
    """With its contact, parts, codes, key, attempts and history."""
    contact = {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium"]}
    await harness.send(save_contact=contact)
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


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/state/more", 404),
        ("GET", "/messages/a/b", 422),
        ("POST", "/state", 405),
        ("POST", "/events", 405),
        ("DELETE", "/reset", 405),
        ("GET", "/reset", 405),
        ("GET", "/state?limit=0", 422),
    ],
)
async def test_other_paths_and_methods_get_the_error_object(
    harness: Harness, method: str, path: str, status: int
) -> None:
    """A 405 has the header `Allow`."""
    answer = await harness.request(method, path)
    assert (answer.status_code, answer.json()["service"]) == (status, "emulator")
    assert ("allow" in answer.headers) == (status == 405)


async def test_head_is_get_without_a_body(harness: Harness) -> None:
    """For the page, the control API and the event stream."""
    for path in ("/", "/_emulator/state", "/_emulator/events"):
        answer = await harness.http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8420"},
        {"Host": "evil@127.0.0.1"},
        {"Host": "127.0.0.1/x"},
        {"Host": "[::1"},
        {"Host": ""},
        {"Host": "emulator:8420"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_pages_of_other_sites_are_refused(harness: Harness, headers: dict[str, str]) -> None:
    """By another name that resolves to this machine, and from another origin."""
    for method, path in (("GET", "state"), ("GET", "events"), ("POST", "reset")):
        url = f"/_emulator/{path}"
        answer = await harness.http.request(method, url, headers=headers, json={})
        assert answer.status_code == 403
    page = await harness.http.get("/", headers=headers)
    assert page.status_code == (403 if "Host" in headers else 200)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.2", "[::1]:8420"])
async def test_the_inbox_and_programs_are_not_refused(harness: Harness, host: str) -> None:
    """By any loopback address, port and name, so that a tunnel works."""
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert (await harness.http.get("/_emulator/state", headers=headers)).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_is_refused(harness: Harness, kind: str) -> None:
    """A POST needs the media type of JSON, which browsers send after a preflight only."""
    await harness.send()
    headers = {"Content-Type": kind}
    answer = await harness.http.post("/_emulator/reset", content="{}", headers=headers)
    assert answer.status_code == 415
    preflight = await harness.http.options("/_emulator/reset")
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]
    assert (await harness.ask("GET", "/state"))["messages_in_all"] == 1


async def test_the_page_runs_only_its_own_script(harness: Harness) -> None:
    """Its policy has hashes, and forbids frames, sniffing and referrers."""
    page = await harness.http.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await harness.http.post("/", json={})).status_code == 405
    answer = await harness.http.get("/_emulator/state")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


async def test_the_event_stream_sends_every_change(harness: Harness) -> None:
    """First the state, then messages, requests and the account; the state after a reset."""
    async with await anyio.connect_tcp("127.0.0.1", harness.emulator.port) as stream:
        # In HTTP/1.0, so that events come without the frames of chunks.
        await stream.send(b"GET /_emulator/events HTTP/1.0\r\nhost: localhost\r\n\r\n")
        listener = Listener(stream)
        assert (await listener.until("state"))["messages"] == []
        await harness.send(content="one\u2028two")
        message = await listener.until("message")
        assert (message["status"], message["content"]) == ("PENDING", "one\u2028two")
        assert (await listener.until("request"))["answer"]["status"] == 202
        assert (await listener.until("account"))["balance"] == "85"
        await harness.send(content="one\u2028two")
        assert (await listener.until("message"))["attempts"] == 2
        await listener.until("account")
        await harness.ask("POST", "/dialect", {"dialect": "reference"})
        assert (await listener.until("account"))["dialect"] == "reference"
        await harness.ask("POST", "/clock", {"seconds": 60})
        assert (await listener.until("message"))["status"] == "DELIVERED"
        harness.emulator.service.delete_message(message["id"])
        assert (await listener.until("state"))["messages"] == []
        await harness.ask("POST", "/reset", {})
        assert (await listener.until("state"))["requests"] == []


async def test_a_silent_stream_sends_comments() -> None:
    """So that either side notices a dead connection."""
    service, log, sent_data = FakeZiett(), RequestLog(), list[bytes]()

    async def send(data: bytes) -> None:
        sent_data.append(data)
        if len(sent_data) == 3:
            scope.cancel()

    with anyio.CancelScope() as scope:
        await EventStream(service, Views(service, log), log, keep_alive=0.15).feed(send)
    assert sent_data[0].startswith(b"retry: ")
    assert sent_data[1].startswith(b"event: state\n")
    assert sent_data[2] == b": still here\n\n"


class CountingZiett(FakeZiett):
    """A fake that counts how often all its messages are read."""

    reads = 0

    @property
    def messages(self) -> Sequence[MessageRecord]:
        """Every message, as before."""
        self.reads += 1
        return super().messages


def stream_of(service: FakeZiett) -> EventStream:
    """Return a stream of a service, after its first event."""
    log = RequestLog()
    stream = EventStream(service, Views(service, log), log)
    assert [name for name, _ in stream.events()] == ["state"]
    return stream


def message_events(stream: EventStream) -> list[Json]:
    """Return the `message` events since the last call."""
    return [document for name, document in stream.events() if name == "message"]


async def test_a_listener_does_not_read_all_messages_when_nothing_happens() -> None:
    """Nor when messages come or are delivered: only what changed is read, from the log."""
    clock = ManualClock()
    service = CountingZiett(clock=clock)
    stream = stream_of(service)
    reads = service.reads
    assert list(stream.events()) == []
    service.exchange(request_of("POST", "/messages", message(), key="a"))
    assert [each["status"] for each in message_events(stream)] == ["PENDING"]
    clock.advance(3600)
    assert [each["status"] for each in message_events(stream)] == ["DELIVERED"]
    assert service.reads == reads


async def test_what_is_shown_of_older_messages_is_sent_again_when_it_changes() -> None:
    """By a new contact of their number, and by a repeated request, from memory too."""
    service = FakeZiett(delivery=None)
    stream = stream_of(service)
    first, other = (
        request_of("POST", "/messages", message(target_e164=number), key=number)
        for number in ("+244923456789", "+244923000000")
    )
    service.exchange(first)
    service.exchange(other)
    assert len(message_events(stream)) == 2
    service.exchange(first)
    [event] = message_events(stream)
    assert (event["target_e164"], event["attempts"]) == ("+244923456789", 2)
    contact = message(save_contact={"name": "Ana"}, content="2")
    service.exchange(request_of("POST", "/messages", contact, key="b"))
    events = message_events(stream)
    assert [each["contact"]["name"] for each in events] == ["Ana", "Ana"]
    assert message_events(stream) == []


async def test_two_listeners_each_get_every_event() -> None:
    """Each has its own position."""
    service = FakeZiett()
    streams = [stream_of(service) for _ in range(2)]
    added = service.add_message()
    for stream in streams:
        assert [each["id"] for each in message_events(stream)] == [str(added.id)]


async def test_a_listener_that_clear_overtakes_gets_the_state() -> None:
    """Even where there are as many messages and requests as before it; attempts count anew."""
    service, send = FakeZiett(), request_of("POST", "/messages", message(), key="a")
    stream = stream_of(service)
    service.exchange(send)
    service.exchange(send)
    assert [each["attempts"] for each in message_events(stream)] == [2]
    service.clear()
    service.exchange(send)
    service.exchange(request_of("POST", "/messages", message(), key="b"))
    events: list[tuple[str, Json]] = list(stream.events())
    assert [name for name, _ in events] == ["state"]
    assert [each["attempts"] for each in events[0][1]["messages"]] == [1, 1]
    assert message_events(stream) == []


async def test_the_inbox_and_the_control_api_have_no_latency() -> None:
    """The latency function is called for the API only, so that a seeded run repeats."""
    draws = list[float]()

    def latency() -> float:
        draws.append(0.0)
        return 0.0

    async with Emulator(latency=latency) as emulator, httpx.AsyncClient() as http:
        for path in ("/", "/_emulator/state", "/c/v1/messages"):
            await http.get(emulator.url + path)
    assert len(draws) == 1


async def test_the_log_keeps_the_last_requests() -> None:
    """Their numbers count all requests."""
    log, request = RequestLog(max_entries=2), Request("GET", "/c/v1/messages", ())
    for _ in range(3):
        log.append(0.0, request, FakeZiett().exchange(request), None)
    assert [entry.number for entry in log.since()] == [2, 3]
    assert [entry.number for entry in log.since(2)] == [3]
    assert log.since(3) == []
