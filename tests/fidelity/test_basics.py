"""The contract's sections 1, 2 and 9 over the wire: keys, ids, moments, errors."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.fidelity.conftest import WireTo
from tests.support.description import OPERATIONS
from tests.support.http import KEY, Wire, message, read
from ziett_async import ManualClock
from ziett_async.testing import FakeZiett, Fault

MICROSECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
FORMS = {
    "offset": MICROSECONDS + r"\+00:00",
    "z": MICROSECONDS + "Z",
    "milliseconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "truncated": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


def test_the_base_path_is_c_v1(wire: Wire) -> None:
    """The operations are under `/c/v1`, which the description's servers end with, too."""
    assert wire.base_url.endswith("/c/v1")
    headers = {"X-API-KEY": KEY}
    assert wire.send("GET", "/messages", headers).status == 200
    assert wire.send("GET", "/../../messages", headers).status == 404


def test_names_of_headers_have_no_case(wire: Wire) -> None:
    """`x-api-key` is as good as `X-API-KEY`."""
    assert wire.send("GET", "/messages", {"x-api-key": KEY}).status == 200


@pytest.mark.parametrize("api_key", [None, "", "zk_test_", "nonsense", "zk_live_real"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_key_is_required(wire: Wire, name: str, api_key: str | None) -> None:
    """A missing or malformed key is a 401, and so is a live one: this is no live service."""
    answer = wire.ask(name, api_key=api_key)
    assert (answer.status, answer.code) == (401, "AUTH_INVALID_API_KEY")
    assert wire.fake.messages == []


def test_a_key_can_be_revoked(wire_to: WireTo) -> None:
    """A key that has been good is a 401 from then on."""
    keys = {"zk_test_mine": {"apikey:messages:list"}}
    wire = wire_to(keys=keys)
    assert wire.ask("list_messages", api_key="zk_test_mine").status == 200
    del keys["zk_test_mine"]
    assert wire.ask("list_messages", api_key="zk_test_mine").status == 401


def test_message_ids_are_of_version_7(wire: Wire) -> None:
    """They are UUIDs that begin with their moment."""
    found = UUID(wire.ask("send_message").json["message_id"])
    assert (found.version, found.int >> 80) == (7, int(wire.clock.time() * 1000))


@pytest.mark.parametrize("timestamps", FORMS)
def test_moments_have_three_forms(wire_to: WireTo, timestamps: str) -> None:
    """An offset, a `Z`, milliseconds and a `Z`: in entities and in errors alike."""
    wire = wire_to(dialect=read(timestamps=timestamps))
    of = wire.ask("send_message").json["message_id"]
    told = [
        wire.ask("get_message", of=of).json["created_at"],
        wire.list()["entries"][0]["updated_at"],
        wire.ask("get_message").json["timestamp"],
    ]
    for text in told:
        assert re.fullmatch(FORMS[timestamps], text)
        assert datetime.fromisoformat(text) == wire.clock.now()


def test_a_moment_is_now(wire: Wire) -> None:
    """What is accepted later is later, by as much."""
    wire.clock.advance(3600.25)
    wire.ask("send_message")
    assert wire.list()["entries"][0]["created_at"] == "2025-07-14T11:30:00.250000+00:00"


def test_every_error_has_its_own_trace(wire: Wire) -> None:
    """Errors have one each, the emulator's own refusals, too, and the time of the error."""
    first, second = wire.ask("get_message").json, wire.ask("get_message").json
    by_emulator = wire.ask("get_message", api_key="zk_live_x").json
    traces = [error["trace_id"] for error in (first, second, by_emulator)]
    assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces)
    assert len(set(traces)) == 3
    assert datetime.fromisoformat(first["timestamp"]) == datetime(2025, 7, 14, 10, 30, tzinfo=UTC)


def test_an_error_names_its_service(wire_to: WireTo) -> None:
    """Most come from `core`, one about money from `billing`."""
    wire = wire_to(balance=0)
    assert wire.ask("get_message").json["service"] == "core"
    assert wire.ask("send_message").json["service"] == "billing"


@pytest.mark.parametrize("code", ["NOT_FOUND", "RESOURCE_NOT_FOUND"])
def test_a_404_has_two_codes(wire_to: WireTo, code: str) -> None:
    """Every endpoint's page has the one, the conventions the other."""
    wire = wire_to(dialect=read(not_found=code))
    for name in ("get_message", "get_campaign", "list_campaign_messages"):
        assert wire.ask(name).code == code


def test_a_validation_error_names_every_field(wire: Wire) -> None:
    """All that is wrong is in `fields` at once, each with a message."""
    body = message(target_e164="923", content="", channel_type="FAX", remitter_id="me")
    fields = wire.ask("send_message", body).json["fields"]
    assert fields == {
        "remitter_id": "must be a UUID",
        "channel_type": "Accepted values are: SMS, WHATSAPP.",
        "target_e164": "Must be a valid E.164 formatted phone number (e.g., +244990090990).",
        "content": "This field is required and cannot be empty.",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"{}"', b"\xff", b'{"a":NaN}'])
def test_a_body_is_a_json_object(wire: Wire, body: bytes) -> None:
    """Whatever else it is, it is a 422 and not a 500."""
    answer = wire.ask("send_message", body)
    assert (answer.status, list(answer.json["fields"])) == (422, ["body"])


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("body", [None, b""])
def test_a_proxy_has_no_error_object(wire: Wire, status: int, body: bytes | None) -> None:
    """502 to 504 come with HTML or with nothing."""
    with wire.fake.script(Fault.status(status, body=body)):
        answer = wire.ask("list_messages")
    assert (answer.status, b"<html>" in answer.body) == (status, body is None)


def test_codes_may_be_added(wire: Wire) -> None:
    """An undocumented code is sent in the documented error object."""
    error = (
        b'{"code":"ACCOUNT_ON_HOLD","message":"Call us","status":451,'
        b'"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",'
        b'"timestamp":"2025-07-14T10:30:00.000000+00:00","service":"billing"}'
    )
    with wire.fake.script(Fault.status(451, body=error)):
        assert wire.ask("send_message").code == "ACCOUNT_ON_HOLD"


@pytest.mark.parametrize("path", ["/webhooks", "/contacts", "/contacts/import", "/templates", "/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_nothing_is_invented(wire: Wire, method: str, path: str) -> None:
    """What has no published endpoint has none here: a 404 with the error object."""
    answer = wire.send(method, path, {"X-API-KEY": KEY})
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_fake_of_ones_own_is_served(wire_to: WireTo) -> None:
    """What was put into the fake by hand is what is read over the wire, and the other way."""
    wire = wire_to()
    assert isinstance(wire.fake, FakeZiett)
    assert isinstance(wire.clock, ManualClock)
    row = wire.fake.add_message(content="By hand")
    assert wire.ask("get_message", of=str(row.id)).json["content"] == "By hand"
    of = wire.ask("send_message").json["message_id"]
    assert [str(each.id) for each in wire.fake.messages] == [str(row.id), of]
