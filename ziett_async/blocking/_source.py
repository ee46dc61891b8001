"""Messages that the waiting thread reads, one whenever the event loop asks for it.

A generator of messages may use what belongs to its thread, such as a connection to a database,
and must not block the event loop of all other threads.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeGuard

from ziett_async.errors import ConfigurationError

#: What a call reads that is not for many messages.
NOTHING: Iterator[object] = iter(())

_INTERRUPTED = "messages: reading them was interrupted; start the run again"


class Inbox:
    """What a waiting thread wakes up for: a message is wanted, or there is something to look at."""

    def __init__(self) -> None:
        #: Places for messages that the event loop wants. One stays until it is filled, as a signal
        #: handler may raise an exception in the thread at any point.
        self.wanted = deque[asyncio.Future[object]]()
        #: The place for which reading has begun.
        self.reading_for: asyncio.Future[object] | None = None
        self._wakeups = SimpleQueue[None]()

    def wake(self) -> None:
        """Have the thread look again."""
        self._wakeups.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until there may be something new, `seconds` at most."""
        with suppress(Empty):
            self._wakeups.get(timeout=seconds)


class Source:
    """The side of the event loop: asks for one message after another."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __aiter__(self) -> AsyncIterator[object]:
        return self

    async def __anext__(self) -> object:
        wanted = asyncio.get_running_loop().create_future()
        self._inbox.wanted.append(wanted)
        self._inbox.wake()
        return await wanted


def read_into(inbox: Inbox, source: Iterator[object]) -> None:
    """Read the message that is wanted first, or why there is none, for the event loop."""
    wanted, result = inbox.wanted[0], None
    error: Exception | None = ConfigurationError(_INTERRUPTED)
    try:
        if inbox.reading_for is not wanted:  # Else reading was interrupted.
            inbox.reading_for = wanted
            result = next(source)
            error = None
    except StopIteration:
        error = StopAsyncIteration()
    except Exception as raised:  # noqa: BLE001 - a user's generator may raise anything
        error = raised
    finally:
        wanted.get_loop().call_soon_threadsafe(_settle, wanted, result, error)
    inbox.wanted.popleft()


def _settle(wanted: "asyncio.Future[object]", result: object, error: Exception | None) -> None:
    if wanted.done():  # It is filled, or the run has ended meanwhile.
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
