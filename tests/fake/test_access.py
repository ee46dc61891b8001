"""API keys and scopes: 401 and 403."""

import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import OPERATIONS
from tests.support.requests import message
from tests.support.samples import API_KEY
from tests.support.service_client import ServiceClient, encoded
from ziett_async.testing import SCOPES, Quota


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_key_is_a_401(api: ServiceClient, operation: str) -> None:
    """Missing, malformed or live: by default only test keys are accepted."""
    for api_key in (None, "", "zk_test_", "nonsense", "zk_live_real"):
        response = api.call(operation, api_key=api_key)
        assert (response.status, response.code) == (401, "AUTH_INVALID_API_KEY")
    assert not [*api.fake.messages, *api.fake.campaigns]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_needs_its_scope(serve_api: ServeApi, operation: str) -> None:
    """A key with all scopes but the operation's is a 403, one with that alone is not."""
    scope = OPERATIONS[operation].scope
    api = serve_api(keys={"zk_test_most": SCOPES - {scope}, "zk_test_one": {scope}})
    refused = api.call(operation, api_key="zk_test_most")
    assert (refused.status, refused.code) == (403, "AUTH_INVALID_SCOPE")
    assert refused.json["message"] == f"The API key lacks the scope {scope}"
    assert api.call(operation, api_key="zk_test_one").status in {200, 202, 404}


def test_a_key_can_be_revoked(serve_api: ServeApi) -> None:
    """Changes of `keys` take effect at once, and only its keys are accepted."""
    keys = {"zk_test_mine": SCOPES}
    api = serve_api(keys=keys)
    assert api.call("list_messages", api_key="zk_test_mine").status == 200
    assert api.call("list_messages", api_key=API_KEY).status == 401
    del keys["zk_test_mine"]
    assert api.call("list_messages", api_key="zk_test_mine").status == 401


def test_names_of_headers_have_no_case(api: ServiceClient) -> None:
    """`x-api-key` is as good as `X-API-KEY`."""
    for name in ("x-api-key", "X-API-KEY", "X-Api-Key"):
        assert api.request("GET", "/messages", {name: API_KEY}).status == 200


def test_an_unknown_key_uses_up_no_quota(serve_api: ServeApi) -> None:
    """The key is checked before the rate limit."""
    api = serve_api(limits={"list": Quota(1)})
    assert [api.call("list_messages", api_key=None).status for _ in range(3)] == [401] * 3
    assert api.call("list_messages").status == 200


def test_the_key_is_checked_before_the_body(api: ServiceClient) -> None:
    """A 401 says nothing about the request's fields, and the scope is checked first, too."""
    body = encoded(message(content=""))
    assert api.call("send_message", body, api_key=None).status == 401
