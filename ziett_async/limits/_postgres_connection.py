"""One connection to a PostgreSQL database, on which a statement ends in time whatever happens.

psycopg waits for an answer for as long as the server's machine acknowledges packets, which it does
while the server is frozen. So libpq's own calls are used here, and the waiting in between is ours.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import TypeVar
from weakref import WeakSet

import anyio
import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from ziett_async._loops import call_soon_here
from ziett_async.errors import LimiterUnavailable
from ziett_async.limits._forks import register_at_fork

T = TypeVar("T")

#: Seconds for a connection, of which libpq takes 2 at the least; and for a statement: an answer
#: that takes longer would not be used.
_CONNECT_WITHIN, _ANSWER_WITHIN = 2, 1.0

_CLOSED = "postgres: the limiter is closed"
_FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}


class Connection:
    """A connection, for one thread at a time: it blocks."""

    def __init__(self, conninfo: str) -> None:
        self._connection = psycopg.connect(
            conninfo, connect_timeout=_CONNECT_WITHIN, fallback_application_name="ziett_async"
        )
        self._libpq = self._connection.pgconn
        # Without its lock: libpq then sends a statement at once, and is asked for the answer.
        self._libpq.nonblocking = 0
        self._selector = DefaultSelector()
        self._selector.register(self._libpq.socket, EVENT_READ)

    def close(self) -> None:
        """Close it, which waits for nothing."""
        self._selector.close()
        self._connection.close()

    def fetch(self, statement: str, *values: str) -> str:
        """Carry out a statement, and return the first field of its answer.

        Raises:
            TimeoutError: there was no answer in time; the connection cannot be used any more.
            psycopg.Error: of the class that the server's answer calls for.

        """
        until = monotonic() + _ANSWER_WITHIN
        self._libpq.send_query_params(statement.encode(), [each.encode() for each in values])
        [result] = self._results(until)
        return (result.get_value(0, 0) or b"").decode()

    def carry_out(self, statements: str) -> None:
        """Carry out statements, all or none of them.

        Raises:
            TimeoutError, psycopg.Error: as for `fetch`.

        """
        until = monotonic() + _ANSWER_WITHIN
        self._libpq.send_query(statements.encode())
        self._results(until)

    def _results(self, until: float) -> Sequence[pq.abc.PGresult]:
        results = list[pq.abc.PGresult]()
        while True:
            while self._libpq.is_busy():
                if not self._selector.select(until - monotonic()):
                    raise TimeoutError
                self._libpq.consume_input()
            result = self._libpq.get_result()
            if result is None:
                return [_checked(each) for each in results]
            results.append(result)


def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status in _FAILED:
        raise error_from_result(result)
    return result


class Database:
    """A database, on one connection, and the thread that waits for it.

    What is done with it is done in the order in which it was asked for, and also if the task that
    asked is cancelled: what would take back a step can never overtake it.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None
        #: Those of the parent process, which it goes on using.
        self.inherited = list[Connection]()
        self._thread = _thread()
        _databases.add(self)

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Use the connection in the thread; it is opened if there is none.

        Cancelling it leaves the thread alone, which ends what it has begun within seconds.

        Raises:
            TimeoutError, psycopg.Error: as the methods of `Connection`.
            LimiterUnavailable: it is closed.

        """
        done, call_soon = anyio.Event(), call_soon_here()

        def tell(_: object) -> None:
            with suppress(RuntimeError):  # the event loop has ended
                call_soon(done.set)

        try:
            future = self._thread.submit(self._use, work)
        except RuntimeError:
            raise LimiterUnavailable(_CLOSED) from None
        future.add_done_callback(tell)
        try:
            await done.wait()
        finally:
            future.cancel()
        return future.result()

    def close(self) -> None:
        """Close the connection when all is done that was asked for."""
        with suppress(RuntimeError):  # it is closed already
            self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)

    def begin_anew(self) -> None:
        """Leave connection and thread to the parent process, after a fork."""
        if self._connection is not None:
            self.inherited.append(self._connection)
        self._connection, self._thread = None, _thread()

    def _use(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = Connection(self._conninfo)
        try:
            return work(self._connection)
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _thread() -> ThreadPoolExecutor:
    """Return one that begins with the first work and ends with the program, or before."""
    return ThreadPoolExecutor(1, thread_name_prefix="ziett-postgres")


_databases = WeakSet[Database]()


def begin_anew() -> None:
    """Leave all connections to the parent process, after a fork."""
    for database in tuple(_databases):
        database.begin_anew()


register_at_fork(after_in_child=begin_anew)
