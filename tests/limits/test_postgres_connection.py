"""One connection to a real database: its statements end in time, and are done in their order."""

import os
import threading
from collections.abc import AsyncGenerator
from functools import partial
from time import monotonic

import anyio
import psycopg
import pytest
from anyio.lowlevel import checkpoint

from tests.support.forking import forks_beside_threads, in_a_child, needs_fork
from tests.support.postgres import do
from ziett_async import LimiterUnavailable
from ziett_async.limits._postgres_connection import Connection, Database, begin_anew

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(postgres_url: str) -> AsyncGenerator[Database]:
    """Lend a database."""
    database = Database(postgres_url)
    yield database
    database.close()


def select(what: str, connection: Connection) -> str:
    """Have a connection return what it is asked for."""
    return connection.fetch(f"SELECT {what}")


def backend(connection: Connection) -> str:
    """Return which process of the server serves it."""
    return select("pg_backend_pid()", connection)


async def test_its_connection_is_kept(database: Database) -> None:
    """Until something goes wrong on it; then the next one is another."""
    first = await database.do(backend)
    assert await database.do(backend) == first
    with pytest.raises(psycopg.errors.DivisionByZero):
        await database.do(partial(select, "1 / 0"))
    assert await database.do(backend) != first


async def test_a_connection_that_breaks_is_replaced(database: Database, postgres_url: str) -> None:
    """The statement on it fails, the next one does not."""
    first = await database.do(backend)
    do(postgres_url, "SELECT pg_terminate_backend(%s, 5000)", int(first))
    with pytest.raises(psycopg.OperationalError):
        await database.do(backend)
    assert await database.do(backend) != first


async def test_a_statement_without_an_answer_ends_in_time(database: Database) -> None:
    """In a second, and nothing waits for it any more."""
    began = monotonic()
    with pytest.raises(TimeoutError):
        await database.do(partial(select, "pg_sleep(20)"))
    assert 0.9 < monotonic() - began < 15.0
    assert await database.do(partial(select, "1")) == "1"


async def test_statements_are_carried_out_all_or_none(database: Database) -> None:
    """As one transaction."""
    half = "CREATE TABLE of_none (); SELECT 1 / 0"
    with pytest.raises(psycopg.errors.DivisionByZero):
        await database.do(lambda connection: connection.carry_out(half))
    assert await database.do(partial(select, "to_regclass('of_none') IS NULL")) == "t"


async def test_what_is_done_is_done_in_its_order_though_it_is_cancelled(
    database: Database,
) -> None:
    """What was begun ends before the next begins; what was not begun is not done."""
    done, begun, goes_on = list[str](), threading.Event(), threading.Event()

    def first(_: Connection) -> None:
        begun.set()
        goes_on.wait(timeout=20)
        done.append("first")

    def note(_: Connection) -> None:
        done.append("second")

    async with anyio.create_task_group() as group:
        group.start_soon(database.do, first)
        await anyio.to_thread.run_sync(begun.wait)
        group.start_soon(database.do, note)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    goes_on.set()
    await database.do(lambda _: done.append("third"))
    assert done == ["first", "third"]


async def test_a_closed_one_is_not_used(database: Database, postgres_url: str) -> None:
    """Closing it twice changes nothing; its connection is closed."""
    process = await database.do(backend)
    database.close()
    database.close()
    with pytest.raises(LimiterUnavailable, match="postgres: the limiter is closed"):
        await database.do(backend)
    deadline = monotonic() + 20
    while do(postgres_url, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", int(process)):
        assert monotonic() < deadline
        await anyio.sleep(0.01)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_one_that_was_never_used_is_closed(postgres_url: str) -> None:
    """There is nothing to close."""
    await checkpoint()
    Database(postgres_url).close()


def test_a_loop_that_ends_does_not_wait_for_it(postgres_url: str) -> None:
    """What is left of it ends in its thread."""
    database = Database(postgres_url)
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        begun.set()
        goes_on.wait(timeout=20)
        ended.set()

    async def call() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(database.do, slow)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()

    for backend_name in ("asyncio", "trio"):
        for each in (begun, goes_on, ended):
            each.clear()
        anyio.run(call, backend=backend_name)
        assert not ended.is_set()
        goes_on.set()
        assert ended.wait(timeout=20)
    database.close()


@needs_fork
@forks_beside_threads
def test_a_forked_child_has_a_connection_of_its_own(postgres_url: str) -> None:
    """And leaves its parent's alone."""
    database = Database(postgres_url)
    first = anyio.run(database.do, backend)
    read, write = os.pipe()

    def use() -> None:
        os.write(write, anyio.run(database.do, backend).encode())
        database.close()

    in_a_child(use)
    assert os.read(read, 99).decode() not in {"", first}
    os.close(read)
    os.close(write)
    assert anyio.run(database.do, backend) == first
    database.close()


async def test_a_child_leaves_connections_open(database: Database, postgres_url: str) -> None:
    """The same as the fork does it, in one process; one that was not used has none."""
    unused = Database(postgres_url)
    first = await database.do(backend)
    begin_anew()
    for each in (database, unused):
        assert await each.do(backend) != first
    [inherited] = database.inherited
    assert backend(inherited) == first
    inherited.close()
    unused.close()
