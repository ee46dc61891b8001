"""What a repeated Idempotency-Key does to the fake."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from ziett_async._clock import ManualClock
from ziett_async._wire import Request, Response
from ziett_async.testing import FakeZiett, Fault, Idempotency, Quota

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]

RUNNING = "IDEMPOTENCY_IN_PROGRESS"


def test_a_repeated_key_gets_the_first_response(ask: Ask, message: Body) -> None:
    """Nothing is executed and the bytes are the same, for exactly 24 hours."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    first = ask(fake, "POST", "/messages", message(), key="a")
    clock.advance(86_399)
    assert ask(fake, "POST", "/messages", message(), key="a") == first
    assert (len(fake.messages), fake.balance) == (1, Decimal(1_000_000_000 - 15))
    clock.advance(1)
    assert ask(fake, "POST", "/messages", message(), key="a") != first
    assert len(fake.messages) == 2
    assert [arrival.replayed for arrival in fake.requests] == [False, True, False]


def test_a_key_belongs_to_one_api_key(ask: Ask, message: Body) -> None:
    """Two API keys can use the same idempotency key; without one every request is executed."""
    fake = FakeZiett()
    for api_key, key in (("zk_test_a", "k"), ("zk_test_b", "k"), ("zk_test_a", None)):
        ask(fake, "POST", "/messages", message(), api_key=api_key, key=key)
    assert len(fake.messages) == 3


def test_a_key_is_ignored_for_a_read(ask: Ask) -> None:
    """A GET with a key is executed again."""
    fake = FakeZiett()
    ask(fake, "GET", "/messages", key="k")
    fake.add_message()
    assert json.loads(ask(fake, "GET", "/messages", key="k").body)["total"] == 1
    assert fake.requests[0].idempotency_key is None


@pytest.mark.parametrize(
    ("reused", "code"), [(422, "VALIDATION_ERROR"), (409, "IDEMPOTENCY_KEY_REUSED")]
)
def test_a_key_with_another_payload_is_refused(
    ask: Ask, message: Body, batch: Body, reused: int, code: str
) -> None:
    """With a 422 or, if switched, a 409; another path counts as another payload."""
    fake = FakeZiett(idempotency=Idempotency(reused=reused))
    ask(fake, "POST", "/messages", message(), key="a")
    for path, body in (("/messages", message(content="B")), ("/campaigns/batch", batch())):
        response = ask(fake, "POST", path, body, key="a")
        assert (response.status, json.loads(response.body)["code"]) == (reused, code)
    assert len(fake.messages) == 1


@pytest.mark.parametrize(
    ("reused", "code"), [(422, "VALIDATION_ERROR"), (409, "IDEMPOTENCY_KEY_REUSED")]
)
def test_a_reused_key_is_refused_while_the_first_request_is_running(
    request_of: Callable[..., Request], message: Body, reused: int, code: str
) -> None:
    """With the refusal of a reused key, not the 409 of a running one, which asks for a retry."""
    fake = FakeZiett(idempotency=Idempotency(reused=reused))
    with fake.script(Fault.running(5.0)):
        fake.exchange(request_of("POST", "/messages", message(), key="a"))
    for body, expected in (({"content": "B"}, (reused, code)), ({}, (409, RUNNING))):
        response = fake.handle(request_of("POST", "/messages", message(**body), key="a"))
        assert (response.status, json.loads(response.body)["code"]) == expected
    assert len(fake.messages) == 1


@pytest.mark.parametrize("key", ["", "a\tb", "\x7f"])
def test_a_key_is_printable(ask: Ask, message: Body, key: str) -> None:
    """Any other key is a 422 whose field is the header."""
    response = ask(FakeZiett(), "POST", "/messages", message(), key=key)
    assert list(json.loads(response.body)["fields"]) == ["Idempotency-Key"]


def test_a_refusal_does_not_use_up_the_key(ask: Ask, message: Body) -> None:
    """Nothing was executed, so the corrected request can use the same key."""
    fake = FakeZiett(balance=0)
    assert ask(fake, "POST", "/messages", message(content=""), key="a").status == 422
    assert ask(fake, "POST", "/messages", message(), key="a").status == 402
    fake.top_up(15)
    assert ask(fake, "POST", "/messages", message(), key="a").status == 202


def test_refusals_can_be_stored(ask: Ask, message: Body) -> None:
    """Then the key replays the refusal, whatever has changed since."""
    fake = FakeZiett(balance=0, idempotency=Idempotency(stores_refusals=True))
    first = ask(fake, "POST", "/messages", message(), key="a")
    fake.top_up(15)
    assert ask(fake, "POST", "/messages", message(), key="a") == first


@pytest.mark.parametrize(("counts", "statuses"), [(True, [202, 429]), (False, [202, 202])])
def test_a_replay_can_count_against_the_rate_limit(
    ask: Ask, message: Body, *, counts: bool, statuses: list[int]
) -> None:
    """By default it does."""
    rules = Idempotency(replays_count=counts)
    fake = FakeZiett(limits={"send": Quota(1)}, idempotency=rules)
    responses = [ask(fake, "POST", "/messages", message(), key="a") for _ in range(2)]
    assert [response.status for response in responses] == statuses
    assert ask(fake, "POST", "/messages", message(), key="b").status == 429


@pytest.mark.parametrize(("first", "field"), [(True, "content"), (False, "Idempotency-Key")])
def test_a_repeated_request_can_be_validated_first(
    ask: Ask, message: Body, *, first: bool, field: str
) -> None:
    """Then the 422 for an invalid body with a used key lists its fields, not the key."""
    fake = FakeZiett(idempotency=Idempotency(validates_first=first))
    ask(fake, "POST", "/messages", message(), key="a")
    response = ask(fake, "POST", "/messages", message(content=""), key="a")
    assert list(json.loads(response.body)["fields"]) == [field]
