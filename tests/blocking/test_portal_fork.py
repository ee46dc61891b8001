"""A client that is carried over `fork()`: as with gunicorn's preload and Celery's prefork."""

from collections.abc import Iterator

import pytest

from tests.support.forking import forks_beside_threads, in_a_child, needs_fork
from tests.support.samples import API_KEY, NUMBER, REMITTER
from ziett_async import ConfigurationError
from ziett_async.blocking import Ziett
from ziett_async.blocking._portal import process
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeZiett

pytestmark = [needs_fork, forks_beside_threads]


@pytest.fixture
def over_http(fake: FakeZiett) -> Iterator[Ziett]:
    """Yield a client that keeps connections open."""
    with (
        Emulator(fake) as emulator,
        Ziett(API_KEY, base_url=emulator.base_url, default_remitter_id=REMITTER) as client,
    ):
        yield client


def test_a_child_uses_the_client_in_an_event_loop_of_its_own(
    over_http: Ziett, fake: FakeZiett
) -> None:
    """And so does its child; the parent goes on with its own."""

    def send(content: str) -> None:
        accepted = over_http.send_message(NUMBER, content=content)
        assert over_http.get_message(accepted.message_id).content == content

    def send_and_fork() -> None:
        send("child")
        in_a_child(lambda: send("grandchild"))

    send("parent")
    in_a_child(send_and_fork)
    in_a_child(over_http.close)
    send("parent again")
    contents = [message.content for message in fake.messages]
    assert contents == ["parent", "child", "grandchild", "parent again"]


def test_a_loop_that_was_begun_before_is_refused_in_the_child(
    over_http: Ziett, fake: FakeZiett
) -> None:
    """It waits for the parent's event loop; begun anew it works, and the parent's goes on."""
    sent = [over_http.send_message(NUMBER, content=f"Olá {n}").message_id for n in range(3)]
    found = iter(over_http.iter_messages(size=2))
    outcomes = over_http.send_many(
        ({"target_e164": NUMBER, "content": f"Oi {n}"} for n in range(9)), concurrency=2
    )
    first = [next(found).id, next(found).id]
    next(outcomes)

    def go_on() -> None:
        for loop in (found, outcomes):
            with pytest.raises(ConfigurationError, match="begun before a fork"):
                next(loop)
        outcomes.close()
        assert {message.id for message in over_http.iter_messages()} >= set(sent)

    in_a_child(go_on)
    assert {*first, *(message.id for message in found)} >= set(sent)
    assert len(list(outcomes)) == 8
    assert len(fake.messages) == 12


def test_to_leave_the_portal_to_the_parent_is_to_begin_another(client: Ziett) -> None:
    """What happens in a child, in this process: coverage does not see into children."""
    for _ in range(3):
        client.send_message(NUMBER, content="Olá")
    found = iter(client.iter_messages(size=2))
    outcomes = client.send_many([])
    with pytest.raises(StopIteration):
        next(outcomes)
    next(found)
    before = process.portal()
    process.reset()
    with pytest.raises(ConfigurationError, match="begun before a fork"):
        list(found)
    outcomes.close()
    assert process.portal() is not before
    assert client.list_messages().total == 3
    before.stop()
