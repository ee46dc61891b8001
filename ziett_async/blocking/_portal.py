"""The event loop in which blocking clients make their calls: one of a process, in its own thread.

It starts with the first call and ends with the process. A forked child has none of its parent's
threads, so there another one starts.

A thread that waits for a call can be interrupted: by Ctrl-C, or by any other exception that a
signal handler raises. Then the call is cancelled, and the exception goes on once the call has
ended: what is known of it is recorded by then. A second interruption does not wait for that.
"""

import asyncio
import atexit
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, suppress
from threading import Lock, Thread
from typing import Generic, TypeVar
from weakref import WeakSet

from ziett_async._client import AsyncZiett
from ziett_async.blocking._source import NOTHING, Inbox, read_into
from ziett_async.errors import ConfigurationError
from ziett_async.limits._forks import register_at_fork

T = TypeVar("T")

#: Seconds between two looks of a waiting thread: on Windows, Ctrl-C has to wait for the next.
_LOOK = 1.0
#: Seconds that the end of the process waits for the event loop, which something may block.
_LONGEST_END = 5.0
_ENDING = "the process is ending; make calls before its main thread ends"


class Call(Generic[T]):
    """What a thread has the event loop do, and waits for."""

    _task: asyncio.Task[None] | None = None
    _result: T

    def __init__(self, work: Callable[[], Awaitable[T]], inbox: Inbox) -> None:
        self._work = work
        self._inbox = inbox
        self._error: BaseException | None = asyncio.CancelledError()
        self._is_over = False

    def start(self) -> None:
        """Begin; runs in the event loop, with the context variables of the thread."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._end)

    def cancel(self) -> None:
        """End early; runs in the event loop."""
        if self._task is None:  # The thread was interrupted before it could start it.
            self._end()
        else:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            self._result = await self._work()
            self._error = None
        except BaseException as error:  # noqa: BLE001 - it is for the thread, and not for the loop
            self._error = error

    def _end(self, _: object = None) -> None:
        self._is_over = True
        self._inbox.wake()

    def wait(self, source: Iterator[object]) -> None:
        """Wait for its end; meanwhile read from the source what is wanted."""
        while not self._is_over:
            if self._inbox.wanted:
                read_into(self._inbox, source)
            else:
                self._inbox.wait(_LOOK)

    def wait_for_end(self) -> None:
        """Wait for its end alone; what is wanted is left to the next wait."""
        while not self._is_over:
            self._inbox.wait(_LOOK)

    def result(self) -> T:
        """Return its result, or raise its error."""
        error, self._error = self._error, None
        if isinstance(error, asyncio.CancelledError):
            raise ConfigurationError(_ENDING)
        try:
            if error is not None:
                raise error
        finally:
            del error  # Its traceback refers to this frame.
        return self._result


class Portal:
    """An event loop in a thread of its own."""

    def __init__(self, clients: Iterable[AsyncZiett] = ()) -> None:
        #: To be closed at the end.
        self._clients = clients
        self._loop = asyncio.new_event_loop()
        self._is_stopping = asyncio.Event()
        #: A daemon, as are the threads that libraries start in it: nothing waits for them.
        self._thread = Thread(target=self._run, name="ziett_async", daemon=True)
        self._thread.start()

    def call(
        self,
        work: Callable[[], Awaitable[T]],
        inbox: Inbox | None = None,
        source: Iterator[object] = NOTHING,
    ) -> T:
        """Carry out some work in the event loop, and wait for it."""
        call = Call(work, Inbox() if inbox is None else inbox)
        try:
            self._loop.call_soon_threadsafe(call.start)
            call.wait(source)
        except BaseException:
            self._loop.call_soon_threadsafe(call.cancel)
            call.wait_for_end()
            raise
        return call.result()

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call a function in the event loop, and do not wait for it."""
        with suppress(RuntimeError):  # The loop is closed: the process ends.
            self._loop.call_soon_threadsafe(function)

    def stop(self) -> None:
        """End what is under way, close the clients that are open and end the thread."""
        self.call_soon(self._is_stopping.set)
        self._thread.join(_LONGEST_END)

    def _run(self) -> None:
        # Not `asyncio.run`, which ends with a new thread: none can be started at the very end.
        with closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        await self._is_stopping.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        closings = [client.aclose() for client in list(self._clients)]
        await asyncio.gather(*tasks, *closings, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


class Process:
    """What blocking clients share in a process."""

    def __init__(self) -> None:
        #: Those that are not closed.
        self.clients = WeakSet[AsyncZiett]()
        self.is_ending = False
        self.reset()

    def reset(self) -> None:
        """Leave the portal to the parent process, in a forked child."""
        self._lock = Lock()
        self._portal: Portal | None = None

    def portal(self) -> Portal:
        """Return the portal of this process.

        Raises:
            ConfigurationError: the process is ending.

        """
        with self._lock:
            if self.is_ending:
                raise ConfigurationError(_ENDING)
            if self._portal is None:
                self._portal = Portal(self.clients)
            return self._portal

    def close(self, client: AsyncZiett) -> None:
        """Close a client; when the process is ending, that is done already."""
        self.clients.discard(client)
        if not self.is_ending:
            self.portal().call(client.aclose)

    def close_soon(self, client: AsyncZiett) -> None:
        """Close a client, and do not wait for it."""
        self.clients.discard(client)
        if self._portal is not None:  # Else nothing is open.
            self._portal.call_soon(Call(client.aclose, Inbox()).start)

    def end(self) -> None:
        """End with the process, after its last thread that is no daemon."""
        with self._lock:
            self.is_ending = True
        if self._portal is not None:
            self._portal.stop()


process = Process()
register_at_fork(after_in_child=process.reset)
atexit.register(process.end)
