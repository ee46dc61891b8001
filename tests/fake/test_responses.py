"""The error object: its keys, its trace id, and the documented messages."""

import re

import pytest

from tests.fake.conftest import ServeApi
from tests.support.requests import request_of
from tests.support.service_client import HttpResponse, ServiceClient
from ziett_async.testing import FakeZiett, Fault


def test_an_error_is_one_documented_object(api: ServiceClient) -> None:
    """Every error has the six documented keys, and a trace id of 32 hexadecimal digits."""
    response = api.request("GET", "/nowhere")
    assert (response.status, response.headers["content-type"]) == (404, "application/json")
    error = dict(response.json)
    assert re.fullmatch("[0-9a-f]{32}", error.pop("trace_id"))
    assert error == {
        "code": "NOT_FOUND",
        "message": "No such path",
        "status": 404,
        "timestamp": "2025-07-14T10:30:00.000000+00:00",
        "service": "core",
    }


def test_every_error_has_its_own_trace_id(api: ServiceClient) -> None:
    """Those of the emulator itself too; and the time of the error."""
    api.clock.advance(60)
    errors = [api.call("get_message", api_key=each).json for each in ("zk_test_x", "zk_live_x")]
    errors.append(api.call("get_message").json)
    assert len({error["trace_id"] for error in errors}) == 3
    assert {error["timestamp"] for error in errors} == {"2025-07-14T10:31:00.000000+00:00"}


def test_trace_ids_are_unique() -> None:
    """Across `clear` too; equal seeds give equal trace ids, different seeds different ones."""

    def traces(seed: int) -> list[str]:
        fake = FakeZiett(seed=seed)
        found = list[str]()
        for _ in range(2):
            found += [fake.new_trace_id() for _ in range(50)]
            fake.clear()
        return found

    assert len(set(traces(0) + traces(1))) == 200
    assert traces(1) == traces(1)


def test_an_error_names_its_service(serve_api: ServeApi) -> None:
    """Most come from `core`, one about money from `billing`."""
    api = serve_api(balance=0)
    assert api.call("get_message").json["service"] == "core"
    assert api.call("send_message").json["service"] == "billing"


@pytest.mark.parametrize(
    ("name", "advice"), [("site", True), ("reference", True), ("conventions", False)]
)
def test_documented_messages_are_verbatim(serve_api: ServeApi, name: str, *, advice: bool) -> None:
    """Those of 401, 402, 422 and 500, from the service and from a scripted fault."""
    api = serve_api(balance=0)
    api.fake.use_dialect(name)
    refused = {
        401: api.call("send_message", api_key=None),
        402: api.call("send_message"),
        422: api.call("send_message", {}),
    }
    money = "Your account balance is too low to process this request."
    documented = {
        401: "The provided API key is invalid or has been revoked.",
        402: f"{money} Please top up your credits." if advice else money,
        422: "One or more fields failed validation.",
        500: "An unexpected error occurred. Please retry after a short delay.",
    }
    for status, words in documented.items():
        fault = failed(api, status)
        for response in (fault, refused.get(status, fault)):
            assert (response.status, response.json["message"]) == (status, words)


def failed(api: ServiceClient, status: int) -> HttpResponse:
    """Return the response to a request that fails with this status, unchecked."""
    with api.fake.script(Fault.status(status)):
        request = request_of("GET", "/messages")
        return api.request("GET", "/messages", dict(request.headers))


@pytest.mark.parametrize(
    ("name", "code"),
    [("site", "NOT_FOUND"), ("reference", "NOT_FOUND"), ("conventions", "RESOURCE_NOT_FOUND")],
)
def test_a_404_has_the_code_of_its_pages(serve_api: ServeApi, name: str, code: str) -> None:
    """For an unknown id, an unknown path and a scripted fault."""
    api = serve_api()
    api.fake.use_dialect(name)
    resources = {
        "get_message": "Message",
        "get_campaign": "Campaign",
        "list_campaign_messages": "Campaign",
    }
    for operation, resource in resources.items():
        response = api.call(operation)
        assert (response.status, response.code) == (404, code)
        assert response.json["message"] == f"{resource} not found"
    for response in (api.request("GET", "/contacts"), failed(api, 404)):
        assert (response.status, response.code) == (404, code)


def test_a_scripted_400_is_an_error_object(api: ServiceClient) -> None:
    """And a scripted redirect has no body."""
    error = failed(api, 400).json
    assert (error["status"], error["message"]) == (400, "The service answered 400")
    redirect = failed(api, 302)
    assert (redirect.status, redirect.body) == (302, b"")


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("body", [None, b""])
def test_a_proxy_has_no_error_object(api: ServiceClient, status: int, body: bytes | None) -> None:
    """502 to 504 come with HTML or with nothing."""
    with api.fake.script(Fault.status(status, body=body)):
        response = api.call("list_messages")
    assert (response.status, b"<html>" in response.body) == (status, body is None)


def test_codes_may_be_added(api: ServiceClient) -> None:
    """An undocumented code is sent in the documented error object."""
    error = (
        b'{"code":"ACCOUNT_ON_HOLD","message":"Call us","status":451,'
        b'"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",'
        b'"timestamp":"2025-07-14T10:30:00.000000+00:00","service":"billing"}'
    )
    with api.fake.script(Fault.status(451, body=error)):
        response = api.call("send_message")
    assert (response.status, response.code) == (451, "ACCOUNT_ON_HOLD")
