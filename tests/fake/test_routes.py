"""Paths and methods: 404 and 405."""

import pytest

from tests.support.requests import request_of
from tests.support.samples import API_KEY
from tests.support.service_client import ServiceClient
from ziett_async._wire import Request
from ziett_async.testing import FakeZiett

KEY = {"X-API-KEY": API_KEY}


def test_the_operations_are_below_the_base_path(api: ServiceClient) -> None:
    """It is `/c/v1`, which the description's servers end with, too."""
    assert api.request("GET", "/messages", KEY).status == 200
    assert api.request("GET", "/../../messages", KEY).status == 404


def test_any_prefix_may_stand_before_the_base_path() -> None:
    """The base path is found after any host and prefix, and nothing is served outside it."""
    fake = FakeZiett()
    headers = request_of("GET", "/messages").headers
    assert fake.handle(Request("GET", "http://[::1]:8/x/c/v1/messages", headers)).status == 200
    assert fake.handle(Request("GET", "http://[::1]:8/messages", headers)).status == 404


def test_a_doubled_base_path_is_reported(api: ServiceClient) -> None:
    """The 404 tells a program that adds `/c/v1` to a base URL with `/c/v1` what is wrong."""
    response = api.request("GET", "/c/v1/messages", KEY)
    message = "No such path: /c/v1 is in it twice, from the base URL and from the program"
    assert (response.status, response.json["message"]) == (404, message)


@pytest.mark.parametrize("path", ["/webhooks", "/contacts", "/contacts/import", "/templates", "/"])
def test_nothing_is_invented(api: ServiceClient, path: str) -> None:
    """What has no published endpoint has none here: a 404 with the error object."""
    for method in ("GET", "POST", "PATCH", "DELETE"):
        response = api.request(method, path, KEY)
        found = (response.status, response.code, response.json["message"])
        assert found == (404, "NOT_FOUND", "No such path")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/messages", "GET, HEAD, POST"),
        ("/campaigns", "GET, HEAD"),
        ("/campaigns/batch", "GET, HEAD, POST"),
        ("/campaigns/batch/messages", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_a_405_that_lists_the_allowed_ones(
    api: ServiceClient, path: str, methods: str
) -> None:
    """`Allow` lists every method of the path, with HEAD if there is GET."""
    response = api.request("DELETE", path, KEY)
    assert (response.status, response.code) == (405, "METHOD_NOT_ALLOWED")
    assert (response.headers["allow"], response.json["message"]) == (methods, "Method not allowed")


def test_head_is_get_without_its_body(api: ServiceClient) -> None:
    """The response to HEAD has the status and headers of the one to GET."""
    whole, response = (api.request(method, "/messages", KEY) for method in ("GET", "HEAD"))
    assert (response.status, response.body) == (200, b"")
    assert response.headers["content-type"] == whole.headers["content-type"]
    assert response.headers["content-length"] == str(len(whole.body))
