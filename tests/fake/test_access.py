"""Paths, methods, API keys and scopes of the fake."""

import json
import re
from collections.abc import Callable

import pytest

from ziett_async._wire import Request, Response
from ziett_async.testing import SCOPES, FakeZiett

Ask = Callable[..., Response]


def code(response: Response) -> str:
    """Return the code of an error."""
    return str(json.loads(response.body)["code"])


def test_an_error_is_one_documented_object(ask: Ask) -> None:
    """Every error has the six documented keys, and a trace id of 32 hexadecimal digits."""
    response = ask(FakeZiett(), "GET", "/nowhere")
    assert response.status == 404
    assert response.header("Content-Type") == "application/json"
    error = json.loads(response.body)
    assert re.fullmatch("[0-9a-f]{32}", error.pop("trace_id"))
    assert error == {
        "code": "NOT_FOUND",
        "message": "No such path",
        "status": 404,
        "timestamp": "2025-07-14T10:30:00.000000+00:00",
        "service": "core",
    }


def test_trace_ids_are_unique(ask: Ask) -> None:
    """Across `clear` too; equal seeds give equal trace ids, different seeds different ones."""

    def traces(seed: int) -> list[str]:
        fake = FakeZiett(seed=seed)
        found = list[str]()
        for _ in range(2):
            found += [json.loads(ask(fake, "GET", "/x").body)["trace_id"] for _ in range(50)]
            fake.clear()
        return found

    assert len(set(traces(0) + traces(1))) == 200
    assert traces(1) == traces(1)


def test_a_doubled_base_path_is_reported(ask: Ask) -> None:
    """The 404 tells a program that adds `/c/v1` to a base URL with `/c/v1` what is wrong."""
    response = ask(FakeZiett(), "GET", "/c/v1/messages")
    message = "No such path: /c/v1 is in it twice, from the base URL and from the program"
    assert (response.status, json.loads(response.body)["message"]) == (404, message)


def test_any_prefix_may_stand_before_the_base_path(request_of: Callable[..., Request]) -> None:
    """The base path is found after any host and prefix, and nothing is served outside it."""
    fake = FakeZiett()
    headers = request_of("GET", "/messages").headers
    assert fake.handle(Request("GET", "http://[::1]:8/x/c/v1/messages", headers)).status == 200
    assert fake.handle(Request("GET", "http://[::1]:8/messages", headers)).status == 404


def test_a_wrong_method_is_a_405_that_lists_the_allowed_ones(ask: Ask) -> None:
    """`Allow` lists every method of the path, with HEAD if there is GET."""
    fake = FakeZiett()
    response = ask(fake, "DELETE", "/messages")
    assert (response.status, response.header("allow")) == (405, "GET, HEAD, POST")
    assert ask(fake, "PUT", "/campaigns/batch/messages").header("allow") == "GET, HEAD"


def test_head_is_get_without_its_body(ask: Ask) -> None:
    """The response to HEAD has the status and headers of the one to GET."""
    fake = FakeZiett()
    whole, response = (ask(fake, method, "/messages") for method in ("GET", "HEAD"))
    assert (response.status, response.body) == (200, b"")
    assert response.headers == (*whole.headers, ("content-length", str(len(whole.body))))


@pytest.mark.parametrize("api_key", [None, "", "zk_test_", "zk_live_x"])
def test_an_unknown_key_is_a_401(ask: Ask, api_key: str | None) -> None:
    """By default only test keys are accepted."""
    response = ask(FakeZiett(), "GET", "/messages", api_key=api_key)
    assert (response.status, code(response)) == (401, "AUTH_INVALID_API_KEY")


def test_a_key_is_limited_to_its_scopes(ask: Ask) -> None:
    """`keys` gives each key its scopes, and changes of the mapping take effect at once."""
    keys = {"zk_live_a": SCOPES, "zk_live_b": {"apikey:messages:read"}}
    fake = FakeZiett(keys=keys)
    assert ask(fake, "GET", "/messages", api_key="zk_live_a").status == 200
    refused = ask(fake, "GET", "/messages", api_key="zk_live_b")
    assert (refused.status, code(refused)) == (403, "AUTH_INVALID_SCOPE")
    del keys["zk_live_a"]
    assert ask(fake, "GET", "/messages", api_key="zk_live_a").status == 401
