"""The methods: those of the asynchronous client, without a second copy of anything."""

import inspect
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import current_thread
from typing import Any

import pytest

from tests.support.bulk import MemoryJournal
from tests.support.samples import NUMBER, REMITTER
from ziett_async import (
    AsyncZiett,
    Bucket,
    InvalidRequest,
    Message,
    NewMessage,
    NotFoundError,
    Operation,
    Page,
)
from ziett_async.blocking import Outcomes, Pages, Ziett
from ziett_async.testing import FakeZiett, Fault


def public(kind: type[object]) -> dict[str, Callable[..., Any]]:
    """Return the public methods of a class."""
    members = inspect.getmembers(kind, inspect.isfunction)
    return {name: method for name, method in members if not name.startswith("_")}


METHODS = sorted(public(AsyncZiett).keys() - {"aclose"})


def test_it_has_the_methods_of_the_asynchronous_client() -> None:
    """Those, `close` in place of `aclose`, and no other."""
    assert public(Ziett).keys() == {*METHODS, "close"}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_signature_of_its_original(name: str) -> None:
    """Names, kinds, defaults and types; and in place of an async iterable, an ordinary one.

    `Pages` and `Outcomes` are called the same in both modules.
    """
    method, original = public(Ziett)[name], public(AsyncZiett)[name]
    mine, asynchronous = inspect.signature(method), inspect.signature(original)
    assert list(mine.parameters.values()) == list(asynchronous.parameters.values())
    returned = str(asynchronous.return_annotation).replace("AsyncIterable", "Iterable")
    assert str(mine.return_annotation) == returned
    assert method.__annotations__.keys() == original.__annotations__.keys()


def test_it_is_built_of_what_the_asynchronous_client_is_built_of() -> None:
    """The same settings with the same defaults."""
    assert inspect.signature(Ziett) == inspect.signature(AsyncZiett)


@pytest.mark.parametrize("name", METHODS)
def test_help_speaks_of_calls_without_async(name: str) -> None:
    """In the words of the original, but for those; and no tool takes it for a coroutine."""
    method = public(Ziett)[name]
    doc = method.__doc__ or ""
    assert len(doc) > 100
    assert not [word for word in ("await ", "async with", "async for", "aclose") if word in doc]
    assert not inspect.iscoroutinefunction(inspect.unwrap(method))
    assert (method.__module__, method.__qualname__) == ("ziett_async.blocking", f"Ziett.{name}")


def test_a_call_gives_the_same_values_and_raises_the_same_errors(
    client: Ziett, fake: FakeZiett
) -> None:
    """From argument to answer, over all attempts."""
    with fake.script(Fault.status(503), Fault.lose_answer()):
        accepted = client.send_message(NUMBER, content="Olá")
    assert accepted.call.attempts == 3
    assert [row.id for row in fake.messages] == [accepted.message_id]
    assert client.get_message(accepted.message_id).target_e164 == NUMBER
    assert client.list_messages(q="923456").total == 1
    campaign = client.send_batch_campaign([NUMBER, "+244923456780"], content="Olá")
    assert client.get_campaign(campaign.campaign_id).content == "Olá"
    assert client.list_campaigns().total == 1
    assert client.list_campaign_messages(campaign.campaign_id).total == 2
    with pytest.raises(InvalidRequest, match="content: is required"):
        client.send_message(NUMBER, content="")
    with pytest.raises(NotFoundError):
        client.get_message(REMITTER)


def test_an_operation_without_a_method_can_be_called(client: Ziett, fake: FakeZiett) -> None:
    """As with the asynchronous client."""
    operation = Operation("any", "GET", "/messages", Page[Message], Bucket.LIST)
    assert client.call(operation).total == len(fake.messages)


def test_lists_are_ordinary_iterables(client: Ziett) -> None:
    """Of entries or of pages; each loop starts anew."""
    sent = [client.send_message(NUMBER, content=f"Olá {n}").message_id for n in range(5)]
    found = client.iter_messages(size=2)
    assert isinstance(found, Pages)
    for _ in range(2):
        assert [message.id for message in found] == sent[::-1]
    assert sum(len(page.entries) for page in found.pages()) == 5
    assert iter(entries := iter(found)) is entries
    assert iter(pages := found.pages()) is pages
    campaign = client.send_batch_campaign([NUMBER, "+244923456780"], content="Olá")
    assert [each.id for each in client.iter_campaigns()] == [campaign.campaign_id]
    assert len(list(client.iter_campaign_messages(campaign.campaign_id))) == 2


def test_after_an_error_a_loop_goes_on_where_it_was(client: Ziett, fake: FakeZiett) -> None:
    """Unlike a generator, which would end as if there were no more."""
    for number in range(4):
        client.send_message(NUMBER, content=f"Olá {number}")
    found = iter(client.iter_messages(size=2))
    seen = [next(found), next(found)]
    with fake.script(*[Fault.status(401)]), pytest.raises(Exception, match="401"):
        next(found)
    seen += found
    assert len({message.id for message in seen}) == len(seen) == 4


def test_deliveries_are_waited_for(client: Ziett) -> None:
    """Until all are final, or change by change; each loop over the changes starts anew."""
    ids = [client.send_message(NUMBER, content=f"Olá {n}").message_id for n in range(3)]
    messages = client.wait_until_final(ids)
    assert list(messages) == ids
    assert all(message.is_final for message in messages.values())
    changes = client.watch_messages(ids)
    for _ in range(2):
        assert {message.id for message in changes} == set(ids)
    assert next(iter(changes)).id in ids  # a loop may be left at any point


def test_many_messages_are_sent_from_a_list_and_with_a_journal(
    client: Ziett, fake: FakeZiett
) -> None:
    """A second start yields the same and sends nothing."""
    messages = [NewMessage(NUMBER, f"Olá {number}") for number in range(60)]
    journal = MemoryJournal()
    for _ in range(2):
        outcomes = client.send_many(messages, journal=journal)
        assert isinstance(outcomes, Outcomes)
        with closing(outcomes):
            assert sorted(each.message.content for each in outcomes if each.accepted) == sorted(
                each.content for each in messages
            )
    assert len(fake.requests) == 60


@pytest.mark.parametrize("messages", [(), []], ids=["tuple", "list"])
def test_a_run_without_messages_is_that_of_a_list(
    client: Ziett, messages: Sequence[NewMessage]
) -> None:
    """Its name is a digest of the list; only a stream has one of its journal."""
    journal = MemoryJournal()
    assert not list(client.send_many(messages, journal=journal))
    assert journal.header is not None
    assert journal.header.digest is not None


def test_a_campaign_of_any_size_is_sent(client: Ziett) -> None:
    """From a stream, too, which is read before anything is sent."""
    numbers = (f"+2449231{index:05}" for index in range(1001))
    outcomes = list(client.send_campaign(recipients=numbers, content="Olá"))
    assert sorted(len(each.recipients) for each in outcomes) == [500, 501]


def test_what_runs_the_callers_code_is_read_in_the_callers_thread(client: Ziett) -> None:
    """A generator may use a database's connection, which belongs to its thread."""
    threads = set[str]()

    def ids(*given: str) -> Any:  # noqa: ANN401 - a generator
        threads.add(current_thread().name)
        yield from given
        threads.add(current_thread().name)

    sent = client.send_message(NUMBER, content="Olá").message_id
    assert list(client.wait_until_final(ids(str(sent)))) == [sent]
    assert client.list_messages(status=ids("SENT", "DELIVERED")).total == 1
    assert client.iter_messages(status=ids("DELIVERED"))
    assert client.watch_messages(message_ids=ids(str(sent)))
    assert len(list(client.send_campaign(ids(NUMBER, "+244923456780"), content="Olá"))) == 1
    assert threads == {current_thread().name}
