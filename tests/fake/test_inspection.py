"""What a test can read from a fake."""

from hashlib import sha256

from tests.support.requests import batch, message, request_of
from ziett_async import ManualClock
from ziett_async.testing import FakeZiett


def test_every_request_is_recorded() -> None:
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
    nowhere = (second.operation, second.bucket, second.query, second.status)
    assert nowhere == (None, None, "x=1", 404)


def test_an_inbox_has_the_newest_message_first() -> None:
    """Messages to other numbers are not in it."""
    fake = FakeZiett()
    for content in ("one", "two"):
        fake.handle(request_of("POST", "/messages", message(content=content)))
    fake.handle(request_of("POST", "/messages", message(target_e164="+244911000000")))
    assert [record.content for record in fake.inbox("+244923456789")] == ["two", "one"]


def test_no_repr_shows_a_number_or_a_text() -> None:
    """So that the output of a failed assertion can be shared."""
    fake = FakeZiett()
    fake.handle(request_of("POST", "/messages", message(save_contact={"name": "Ana"})))
    fake.handle(request_of("POST", "/campaigns/batch", batch(name="July")))
    fake.handle(request_of("GET", "/messages?q=923456789"))
    shown = repr((fake.messages, fake.campaigns, list(fake.contacts.values()), fake.requests))
    assert not [word for word in ("923456789", "482910", "Ana", "July", "Hello") if word in shown]
