"""Connections to a PostgreSQL server, on which a statement ends in time whatever the server does.

psycopg waits for an answer for as long as the server's machine acknowledges packets, which it does
while the server is frozen. So libpq's own calls are used here, and the waiting in between is ours.
Everything blocks: it is called in worker threads.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector
from time import monotonic

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

#: Seconds for a connection, of which libpq takes 2 at the least; and for a statement: an answer
#: that takes longer would not be used.
_CONNECT_WITHIN, _ANSWER_WITHIN = 2, 1.0

_FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}


class Connection:
    """One connection."""

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


class Connections:
    """Connections to one server, opened as they are needed and kept for the next statement."""

    def __init__(self, conninfo: str, most_idle: int) -> None:
        self._conninfo = conninfo
        self._most_idle = most_idle
        self._idle = list[Connection]()
        self._process = os.getpid()
        #: Those of the parent process, which it goes on using.
        self._inherited = list[Connection]()

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection; it is closed if something goes wrong with it."""
        connection = self._idle_one() or Connection(self._conninfo)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        self._close_all_but(self._most_idle)

    def close(self) -> None:
        """Close those that are idle, now and from now on."""
        self._most_idle = 0
        self._close_all_but(0)

    def _idle_one(self) -> Connection | None:
        if self._process != os.getpid():
            self._inherited += self._idle
            self._idle, self._process = [], os.getpid()
        # Other threads pop meanwhile.
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _close_all_but(self, most: int) -> None:
        with suppress(IndexError):
            while len(self._idle) > most:
                self._idle.pop().close()
