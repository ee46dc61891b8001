"""What `send_many` takes: a wrong argument is refused by its name, at once."""

from typing import Any

import anyio
import pytest

from tests.support.bulk import MemoryJournal, client_of, messages
from ziett_async import AsyncZiett, InvalidRequest, SqliteJournal
from ziett_async.testing import FakeZiett

pytestmark = pytest.mark.anyio

WRONG: dict[str, list[object]] = {
    "messages": [None, 5, "+244923456789", b"x", {"target_e164": "x"}, object()],
    "journal": [5, b"run.db", object(), MemoryJournal, SqliteJournal, {}],
    "run": [5, "", "\ud800", b"July"],
    "concurrency": [0, -1, 1.5, "5", True, None, 10**6],
    "priority": ["first", 5, None, True],
}


@pytest.mark.promise("A wrong argument is an error of the package, before any I/O")
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
async def test_a_wrong_argument_is_refused_at_once(name: str, value: object) -> None:
    """Before any step, and without a file."""
    arguments: dict[str, Any] = {"messages": messages(1), name: value}
    async with client_of(FakeZiett()) as client:
        with pytest.raises(InvalidRequest) as caught:
            client.send_many(**arguments)
    assert set(caught.value.fields) == {name}


async def test_several_wrong_arguments_are_named_together() -> None:
    """As with every other method."""
    arguments: dict[str, Any] = {"concurrency": 0, "run": ""}
    async with client_of(FakeZiett()) as client:
        with pytest.raises(InvalidRequest) as caught:
            client.send_many([], **arguments)
    assert set(caught.value.fields) == {"concurrency", "run"}


async def test_no_message_is_no_error() -> None:
    """An empty list has no outcome."""
    async with client_of(FakeZiett()) as client:
        assert [each async for each in client.send_many([])] == []


def test_a_run_may_be_made_before_there_is_an_event_loop() -> None:
    """Nothing of it needs one before its first step."""
    fake = FakeZiett()
    client: AsyncZiett = client_of(fake)
    client.send_many(messages(1))
    anyio.run(client.aclose)
