"""What a repeated Idempotency-Key does."""

import json
from decimal import Decimal

import pytest

from tests.fake.conftest import ServeApi
from tests.support.requests import message, request_of
from tests.support.service_client import ServiceClient
from ziett_async.testing import FakeZiett, Fault, Idempotency, Quota

DAY = 86_400
SENDS = ["send_message", "send_batch_campaign"]
RUNNING = "IDEMPOTENCY_IN_PROGRESS"
#: The messages of the two kinds of 409.
STILL_RUNNING = "The first request with this Idempotency-Key is still running"
REUSED = "Idempotency-Key was used with another request"


@pytest.mark.parametrize("operation", SENDS)
def test_a_repeated_key_gets_the_first_response(api: ServiceClient, operation: str) -> None:
    """Nothing is executed and the bytes are the same, for exactly 24 hours."""
    first = api.call(operation, key="order-7")
    sent, balance = len(api.fake.messages), api.fake.balance
    api.clock.advance(DAY - 1)
    assert api.call(operation, key="order-7") == first
    assert (len(api.fake.messages), api.fake.balance) == (sent, balance)
    api.clock.advance(1)
    assert api.call(operation, key="order-7").body != first.body
    assert len(api.fake.messages) == 2 * sent
    assert [arrival.replayed for arrival in api.fake.requests] == [False, True, False]


def test_a_key_belongs_to_one_api_key(api: ServiceClient) -> None:
    """Two API keys can use the same idempotency key; without one every request is executed."""
    for api_key, key in (("zk_test_a", "k"), ("zk_test_b", "k"), ("zk_test_a", None)):
        assert api.call("send_message", api_key=api_key, key=key).status == 202
    assert len(api.fake.messages) == 3


def test_a_key_may_be_any_printable_string(api: ServiceClient) -> None:
    """A UUID, an internal id with a time, and what else a header can carry."""
    for key in ("4f3c1f6e-8a43-4f0e-9c56-0b4f3a0a2d11", "order 7 @ 10:30", "a" * 255, "~"):
        first = api.call("send_message", key=key)
        assert api.call("send_message", key=key).body == first.body
    assert len(api.fake.messages) == 4


@pytest.mark.parametrize("key", ["", "a\tb", "\x7f"])
def test_any_other_key_is_a_422(key: str) -> None:
    """Whose field is the header. In memory only: HTTP does not carry all of them."""
    fake = FakeZiett()
    response = fake.handle(request_of("POST", "/messages", message(), key=key))
    error = json.loads(response.body)
    fields = {"Idempotency-Key": "must be a non-empty printable string"}
    assert (response.status, error["fields"]) == (422, fields)
    assert not fake.messages


def test_a_key_is_ignored_for_a_read(api: ServiceClient) -> None:
    """A GET with the key of a POST is executed again, and recorded without a key."""
    api.call("send_message", key="k")
    assert api.call("list_messages", key="k").json["total"] == 1
    api.send()
    assert api.call("list_messages", key="k").json["total"] == 2
    assert api.fake.requests[1].idempotency_key is None


@pytest.mark.parametrize(
    ("reused", "code"), [(422, "VALIDATION_ERROR"), (409, "IDEMPOTENCY_KEY_REUSED")]
)
def test_a_key_with_another_payload_is_refused(serve_api: ServeApi, reused: int, code: str) -> None:
    """With a 422 or, if switched, a 409; another path counts as another payload."""
    api = serve_api(idempotency=Idempotency(reused=reused))
    api.call("send_message", key="a")
    for response in (
        api.call("send_message", message(content="B"), key="a"),
        api.call("send_batch_campaign", message(), key="a"),
    ):
        assert (response.status, response.code) == (reused, code)
        if reused == 409:
            assert response.json["message"] == REUSED
        else:
            assert response.fields == {"Idempotency-Key": "was used with another request"}
    assert len(api.fake.messages) == 1


def test_a_key_with_another_payload_can_be_replayed(serve_api: ServeApi) -> None:
    """Literally, the same key gets the original response, whatever the request is."""
    api = serve_api(idempotency=Idempotency(reused=202))
    first = api.call("send_message", key="k")
    assert api.call("send_message", message(content="Else"), key="k").body == first.body
    assert len(api.fake.messages) == 1


def test_a_key_is_a_409_while_its_first_request_is_running(api: ServiceClient) -> None:
    """For the given seconds; then it gets the first response."""
    with api.fake.script(Fault.running(5.0)), pytest.raises(ConnectionError):
        api.call("send_batch_campaign", key="k")
    api.clock.advance(4.5)
    refused = api.call("send_batch_campaign", key="k")
    assert (refused.status, refused.code) == (409, RUNNING)
    assert refused.json["message"] == STILL_RUNNING
    api.clock.advance(0.5)
    replayed = api.call("send_batch_campaign", key="k")
    [campaign] = api.fake.campaigns
    assert replayed.json["campaign_id"] == str(campaign.id)


@pytest.mark.parametrize(
    ("reused", "code"), [(422, "VALIDATION_ERROR"), (409, "IDEMPOTENCY_KEY_REUSED")]
)
def test_a_reused_key_is_refused_while_the_first_request_is_running(
    serve_api: ServeApi, reused: int, code: str
) -> None:
    """With the refusal of a reused key, not the 409 of a running one, which asks for a retry."""
    api = serve_api(idempotency=Idempotency(reused=reused))
    with api.fake.script(Fault.running(5.0)), pytest.raises(ConnectionError):
        api.call("send_message", key="a")
    for content, expected in (("B", (reused, code)), ("Your code is 482910.", (409, RUNNING))):
        response = api.call("send_message", message(content=content), key="a")
        assert (response.status, response.code) == expected
    assert len(api.fake.messages) == 1


def test_a_refusal_does_not_use_up_the_key(serve_api: ServeApi) -> None:
    """Nothing was executed, so the corrected request can use the same key."""
    api = serve_api(balance=0)
    assert api.call("send_message", message(content=""), key="a").status == 422
    assert api.call("send_message", key="a").status == 402
    api.fake.top_up(Decimal(15))
    assert api.call("send_message", key="a").status == 202


@pytest.mark.parametrize(("body", "status"), [(message(), 402), (message(content=""), 422)])
def test_refusals_can_be_stored(serve_api: ServeApi, body: object, status: int) -> None:
    """Then the key replays the refusal, whatever has changed since."""
    api = serve_api(balance=0, idempotency=Idempotency(stores_refusals=True))
    first = api.call("send_message", body, key="a")
    api.fake.top_up(15)
    assert first.status == status
    assert api.call("send_message", body, key="a").body == first.body


@pytest.mark.parametrize(("stores", "status"), [(True, 500), (False, 202)])
def test_a_500_can_be_stored(serve_api: ServeApi, *, stores: bool, status: int) -> None:
    """It is the key's response from then on, or leaves it free; a proxy's 503 never is."""
    api = serve_api(idempotency=Idempotency(stores_server_errors=stores))
    with api.fake.script(Fault.status(500), Fault.status(503)):
        api.call("send_message", key="a")
        api.call("send_message", key="b")
    assert api.call("send_message", key="a").status == status
    assert api.call("send_message", key="b").status == 202


@pytest.mark.parametrize(("counts", "statuses"), [(True, [202, 429]), (False, [202, 202])])
def test_a_replay_can_count_against_the_rate_limit(
    serve_api: ServeApi, *, counts: bool, statuses: list[int]
) -> None:
    """By default it does."""
    api = serve_api(limits={"send": Quota(1)}, idempotency=Idempotency(replays_count=counts))
    assert [api.call("send_message", key="a").status for _ in range(2)] == statuses
    assert api.call("send_message", key="b").status == 429


@pytest.mark.parametrize(("first", "field"), [(True, "content"), (False, "Idempotency-Key")])
def test_a_repeated_request_can_be_validated_first(
    serve_api: ServeApi, *, first: bool, field: str
) -> None:
    """Then the 422 for an invalid body with a used key lists its fields, not the key."""
    api = serve_api(idempotency=Idempotency(validates_first=first))
    api.call("send_message", key="a")
    assert list(api.call("send_message", message(content=""), key="a").fields) == [field]


@pytest.mark.parametrize(("first", "status"), [(True, 422), (False, 202)])
def test_a_replay_of_another_payload_can_be_validated_first(
    serve_api: ServeApi, *, first: bool, status: int
) -> None:
    """Before the key is looked up, or not at all."""
    api = serve_api(idempotency=Idempotency(validates_first=first, reused=202))
    api.call("send_message", key="k")
    assert api.call("send_message", message(content=""), key="k").status == status
