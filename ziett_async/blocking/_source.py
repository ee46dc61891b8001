"""Messages that the waiting thread reads, one whenever the event loop asks for it.

A generator of messages may use what belongs to its thread, such as a connection to a database,
and must not block the event loop of all other threads.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from queue import SimpleQueue
from typing import TypeAlias, TypeGuard

from ziett_async.errors import ConfigurationError

#: What a waiting thread is woken for: a place for the next message, or just to look (None).
Inbox: TypeAlias = SimpleQueue[asyncio.Future[object] | None]

#: What a call reads that is not for many messages.
NOTHING: Iterator[object] = iter(())

_INTERRUPTED = "messages: reading them was interrupted; start the run again"


class Source:
    """The side of the event loop: asks for one message after another."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __aiter__(self) -> AsyncIterator[object]:
        return self

    async def __anext__(self) -> object:
        wanted = asyncio.get_running_loop().create_future()
        self._inbox.put(wanted)
        return await wanted


def read_into(wanted: "asyncio.Future[object]", source: Iterator[object]) -> None:
    """Read the next message, or why there is none, for the event loop."""
    result: object = None
    error: Exception | None = ConfigurationError(_INTERRUPTED)
    try:
        result = next(source)
        error = None
    except StopIteration:
        error = StopAsyncIteration()
    except Exception as raised:  # noqa: BLE001 - a user's generator may raise anything
        error = raised
    finally:
        wanted.get_loop().call_soon_threadsafe(_settle, wanted, result, error)


def _settle(wanted: "asyncio.Future[object]", result: object, error: Exception | None) -> None:
    if wanted.done():  # The run has ended meanwhile.
        return
    if error is None:
        wanted.set_result(result)
    else:
        wanted.set_exception(error)


def is_lazy(value: object) -> TypeGuard[Iterable[object]]:
    """Return whether to read an argument is to run code of the caller, as of a generator."""
    return isinstance(value, Iterable) and not isinstance(value, Collection)


def read_lazily(iterable: Iterable[object]) -> Iterator[object]:
    """Read an iterable, beginning with the first step."""
    yield from iterable
