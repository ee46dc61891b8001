"""What a test can read from a fake and change in it."""

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256

from ziett_async import testing
from ziett_async._clock import ManualClock
from ziett_async._wire import Request, Response
from ziett_async.testing import FakeZiett, Fault

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]


def test_every_request_is_recorded(request_of: Callable[..., Request], message: Body) -> None:
    """With its time, operation, idempotency key, digest and the status of the response."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    clock.advance(2.5)
    request = request_of("POST", "/messages", message(), key="a")
    fake.handle(request)
    fake.handle(request_of("GET", "/nowhere?x=1"))
    first, second = fake.requests
    assert (first.at, first.operation, first.bucket) == (2.5, "send_message", "send")
    assert (first.method, first.path, first.idempotency_key) == ("POST", "/messages", "a")
    assert (first.status, first.replayed) == (202, False)
    assert first.body_digest == sha256(request.body).hexdigest()
    assert (second.operation, second.bucket, second.query, second.status) == (
        None,
        None,
        "x=1",
        404,
    )


def test_an_inbox_has_the_newest_message_first(ask: Ask, message: Body) -> None:
    """Messages to other numbers are not in it."""
    fake = FakeZiett()
    for content in ("one", "two"):
        ask(fake, "POST", "/messages", message(content=content))
    ask(fake, "POST", "/messages", message(target_e164="+244911000000"))
    assert [record.content for record in fake.inbox("+244923456789")] == ["two", "one"]


def test_no_repr_shows_a_number_or_a_text(ask: Ask, message: Body, batch: Body) -> None:
    """So that the output of a failed assertion can be shared."""
    fake = FakeZiett()
    ask(fake, "POST", "/messages", message(save_contact={"name": "Ana"}))
    ask(fake, "POST", "/campaigns/batch", batch(name="July"))
    ask(fake, "GET", "/messages?q=923456789")
    shown = repr((fake.messages, fake.campaigns, list(fake.contacts.values()), fake.requests))
    assert not [word for word in ("923456789", "482910", "Ana", "July", "Hello") if word in shown]


def test_clear_starts_with_a_new_service(ask: Ask, message: Body) -> None:
    """Messages, contacts, balance, requests, quotas, keys and faults are reset, not the clock."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, balance=100)
    body = message(save_contact={"name": "Ana"})
    first = ask(fake, "POST", "/messages", body, key="a")
    fake.faults.add(Fault.refuse())
    fake.clear()
    assert (fake.messages, fake.contacts, fake.requests) == ([], {}, [])
    assert (fake.balance, fake.faults.pending) == (Decimal(100), ())
    assert ask(fake, "POST", "/messages", body, key="a") == first
    assert not fake.requests[0].replayed


def test_two_fakes_with_the_same_seed_respond_alike(ask: Ask, message: Body) -> None:
    """So that a second run of a test equals the first."""
    first, second = FakeZiett(), FakeZiett()
    for _ in range(3):
        assert ask(first, "POST", "/messages", message()) == ask(
            second, "POST", "/messages", message()
        )
    assert ask(first, "GET", "/messages") == ask(second, "GET", "/messages")


def test_everything_public_can_be_imported() -> None:
    """Every name in `__all__` exists."""
    assert all(hasattr(testing, name) for name in testing.__all__)
