"""PostgresLimiter: what it is given, what it creates, and failures that only a database has."""

import logging
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from functools import partial
from itertools import count
from time import monotonic
from typing import Any

import anyio
import attrs
import psycopg
import pytest

from tests.docs.limit_traces import PAGE
from tests.limits._attempts import SEND, saturate, take, worst_window
from tests.limits._failures import LONGEST, PER, Open, fill
from tests.limits._steps import ONE, Script
from tests.support.examples import FENCED
from tests.support.postgres import PostgresServer, do
from tests.support.samples import API_KEY, REMITTER
from tests.support.stores import held, timed
from ziett_async import Bucket, LimiterUnavailable, Rate
from ziett_async.emulator import Emulator
from ziett_async.limits.distributed._bucket import ANSWER_WITHIN, COOL_DOWN
from ziett_async.limits.distributed._store import Terms
from ziett_async.limits.postgres import PostgresLimiter, Share

pytestmark = pytest.mark.anyio

_names = count()
#: Settings with which a limiter is quick.
QUICK: dict[str, Any] = {"new_store": "start", "longest_attempt": 1.0}


@pytest.fixture(params=["asyncio-postgres", "trio-postgres"])
def way(request: pytest.FixtureRequest) -> str:
    """Test both event loops."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


@pytest.fixture(scope="module")
def other_database(postgres_url: str) -> str:
    """Create a database of its own, whose tests may drop and alter what they like."""
    do(postgres_url, "CREATE DATABASE other")
    return postgres_url.removesuffix("postgres") + "other"


@pytest.fixture
def database(other_database: str) -> str:
    """Return the address of a database in which nothing was created."""
    do(other_database, "ALTER DATABASE other RESET ALL")
    do(other_database, "DROP SCHEMA IF EXISTS ziett CASCADE")
    return other_database


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        b"postgresql://",
        "app",
        "mysql://app:secret@db/app",
        "postgresql://app:secret@[db/app",
        "postgresql://app:secret@db/app?ssl=require",
    ],
)
def test_a_wrong_conninfo_is_refused_and_not_shown(wrong: Any) -> None:  # noqa: ANN401 - wrong
    """It may hold a password."""
    with pytest.raises(ValueError, match=r"^conninfo: must be a connection string") as caught:
        PostgresLimiter(wrong)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgres+asyncpg", "postgres"])
async def test_a_url_of_sqlalchemy_is_taken(postgres_url: str, scheme: str) -> None:
    """Which names a driver."""
    url = postgres_url.replace("postgresql", scheme)
    async with PostgresLimiter(url, **QUICK) as limiter:
        await take(limiter.for_account(scheme))


async def test_a_password_is_nowhere(postgres_url: str) -> None:
    """Neither in what the limiter is shown as nor in what it raises."""
    wrong = postgres_url.replace("postgres@", "nobody:secret@")
    async with PostgresLimiter(wrong) as limiter:
        with pytest.raises(LimiterUnavailable, match="postgres: OperationalError") as caught:
            await limiter.acquire(SEND)
        assert "secret" not in f"{caught.value!r} {limiter!r} {vars(limiter)}"
        assert caught.value.__context__ is None


async def test_it_is_created_once_by_any_number_of_processes(database: str) -> None:
    """That start together."""
    limiters = [PostgresLimiter(database, send=Rate(9, per=9.0), **QUICK) for _ in range(6)]
    async with anyio.create_task_group() as group:
        for each in limiters:
            group.start_soon(take, each)
    assert do(database, "SELECT permits FROM ziett.buckets") == [(6,)]
    for each in limiters:
        await each.aclose()


PRINTED = "python -m ziett_async.limits.postgres"


async def test_a_role_without_rights_gets_an_error_that_says_what_is_needed(database: str) -> None:
    """At once; an owner carries out what the command prints, and grants the use."""
    role = f"app_{next(_names)}"
    do(database, f"CREATE ROLE {role} LOGIN")
    url = database.replace("postgres@", f"{role}@")
    async with PostgresLimiter(url, **QUICK) as limiter:
        began = monotonic()
        with pytest.raises(LimiterUnavailable, match=f"postgres: the role .* `{PRINTED}` prints"):
            await limiter.acquire(SEND)
        assert monotonic() - began < ANSWER_WITHIN
        command = [sys.executable, *PRINTED.split()[1:]]
        done = await anyio.run_process(command, env=dict(os.environ))
        for statements in (done.stdout.decode(), f"GRANT USAGE ON SCHEMA ziett TO {role}"):
            do(database, statements)
        with pytest.raises(LimiterUnavailable, match=f"postgres: the role .* `{PRINTED}` prints"):
            await limiter.acquire(SEND)
        rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ziett"
        do(database, f"GRANT {rights} TO {role}")
        await take(limiter)


@pytest.mark.parametrize("failure", ["rights", "closed"])
async def test_why_a_share_is_used_is_one_warning_without_a_secret(
    database: str, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A role without rights, and a limiter that is closed."""
    role = f"app_{next(_names)}"
    do(database, f"CREATE ROLE {role} LOGIN")
    url = database.replace("postgres@", f"{role}:secret@")
    async with PostgresLimiter(url, on_failure=Share(1, 5), **QUICK) as limiter:
        if failure == "closed":
            await limiter.aclose()
        account = limiter.for_account("zk_test_secret")
        for bucket in (Bucket.SEND, Bucket.SEND, Bucket.READ):
            await account.acquire(bucket)
    why = {"rights": "postgres: the role may not .*", "closed": "postgres: the limiter is closed"}
    until = "; until the store grants permits, (send|read) attempts of this process have 1/5 of"
    assert len(caplog.records) == 2
    for record, name in zip(caplog.records, ("send", "read"), strict=True):
        assert (record.name, record.levelno) == ("ziett_async", logging.WARNING)
        assert re.fullmatch(f"{why[failure]}{until} the limit", record.getMessage())
        facts = {"ziett_store": "postgres", "ziett_bucket": name, "ziett_share": "1/5"}
        assert facts.items() <= vars(record).items()
    assert "secret" not in caplog.text


#: Fits better than the server's own where a step hashes a name, and where it counts microseconds.
HOSTILE = """
    DROP SCHEMA IF EXISTS hostile CASCADE;
    CREATE SCHEMA hostile;
    CREATE FUNCTION hostile.hashtextextended(text, integer) RETURNS bigint LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'hostile'; END $$;
    CREATE FUNCTION hostile.times(numeric, integer) RETURNS numeric LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'hostile'; END $$;
    CREATE OPERATOR hostile.* (FUNCTION = hostile.times, LEFTARG = numeric, RIGHTARG = integer);
    ALTER DATABASE other SET search_path = hostile;
"""


async def test_functions_of_others_are_not_called(database: str) -> None:
    """A role that may create some in a schema of the search path gets no rights by it."""
    do(database, HOSTILE)
    for statement in ("SELECT hashtextextended('a', 0)", "SELECT 1.5 * 1"):
        with pytest.raises(psycopg.errors.RaiseException, match="hostile"):
            do(database, statement)
    async with PostgresLimiter(database, **QUICK) as limiter:
        await take(limiter)


async def test_what_was_dropped_is_created_again(database: str) -> None:
    """Schema, table or function, and nothing starts until what it had is out of every window."""
    settings: dict[str, Any] = {"send": Rate(9, per=PER), "longest_attempt": LONGEST}
    async with PostgresLimiter(database, new_store="start", **settings) as limiter:
        await take(limiter)
    [(function,)] = do(
        database, "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'step_%'"
    )
    async with PostgresLimiter(database, **settings) as limiter:
        for what in ("SCHEMA ziett CASCADE", "TABLE ziett.permits"):
            last = await take(limiter)
            do(database, f"DROP {what}")
            assert await take(limiter) - last >= PER + LONGEST
        do(database, f"DROP FUNCTION {function}")
        await take(limiter)


async def test_a_permit_costs_one_statement_and_its_release_another(
    server: PostgresServer,
) -> None:
    """Of the connection that is kept."""
    server.start()
    url = f"{server.url}?options=-c%20log_statement%3Dall"

    def steps() -> int:
        return (server.folder / "log").read_text(encoding="utf-8").count("SELECT ziett.step_")

    async with PostgresLimiter(url, **QUICK) as limiter:
        await take(limiter)
        before = steps()
        await take(limiter)
        assert steps() - before == 2


def connections(url: str) -> int:
    """Return how many connections limiters have to a database."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ziett_async' "
    [(number,)] = do(url, f"{statement} AND datname = current_database()")
    return int(number)


async def closed(url: str) -> None:
    """Wait until no limiter is connected to a database."""
    with anyio.fail_after(20):
        while connections(url):  # noqa: ASYNC110 - the server sends no event
            await anyio.sleep(0.01)


async def test_a_limiter_has_one_connection_until_it_is_closed(database: str) -> None:
    """However many of its calls wait; afterwards it raises at once."""
    async with PostgresLimiter(database, send=Rate(50, per=0.1), **QUICK) as limiter:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(take, limiter)
        assert connections(database) == 1
    await closed(database)
    began = monotonic()
    with pytest.raises(LimiterUnavailable, match="postgres: the limiter is closed"):
        await limiter.acquire(SEND)
    assert monotonic() - began < ANSWER_WITHIN


def test_it_serves_several_event_loops(postgres_url: str) -> None:
    """One after the other, of both libraries."""
    limiter = PostgresLimiter(postgres_url, **QUICK)
    account = limiter.for_account(f"loops-{next(_names)}")
    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(take, account, backend=backend)
    anyio.run(limiter.aclose)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_the_isolation_of_a_role_does_not_matter(database: str, level: str) -> None:
    """A step that has not seen the one before is refused, and taken again."""
    do(database, f"ALTER DATABASE other SET default_transaction_isolation = '{level}'")
    limiters = [PostgresLimiter(database, send=Rate(6, per=0.5), **QUICK) for _ in range(3)]
    starts = await saturate([each.for_account("a") for each in limiters], 1.2)
    assert worst_window(starts, 0.5) == 6
    for each in limiters:
        await each.aclose()


async def test_a_step_does_not_become_slower_until_the_next_vacuum(database: str) -> None:
    """It reads no more of the index after many steps than after few."""
    read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'permits'"
    seen = [0]
    for _ in range(3):
        async with PostgresLimiter(database, send=Rate(1000, per=0.001), **QUICK) as limiter:
            await take(limiter)
            do(database, "ALTER TABLE ziett.permits SET (autovacuum_enabled = off)")
            for _ in range(80):
                await take(limiter)
        # The server knows when the connection is closed.
        await closed(database)
        seen.append(do(database, read)[0][0])
    assert seen[3] - seen[2] < 2 * seen[1]


def backends(server: PostgresServer) -> list[int]:
    """Return the processes that serve limiters."""
    statement = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ziett_async'"
    return [process for (process,) in server.do(statement)]


async def test_a_locked_bucket_holds_no_call_for_long(postgres_url: str) -> None:
    """As by a process of the server that stands still; the others go on when it does, or ends."""
    async with PostgresLimiter(postgres_url, **QUICK) as limiter:
        name = f"locked-{next(_names)}"
        account = limiter.for_account(name)
        await take(account)
        lock = f"SELECT pg_advisory_lock(hashtextextended('ziett {name}:send', 0))"
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(lock.encode())
            began = monotonic()
            with pytest.raises(LimiterUnavailable, match="postgres: LockNotAvailable"):
                await account.acquire(SEND)
            assert monotonic() - began < ANSWER_WITHIN + 5.0
        await anyio.sleep(COOL_DOWN)
        await take(account)


async def test_a_creation_that_is_locked_leaves_no_process_behind(database: str) -> None:
    """The server gives it up by itself: one for each try would soon be all that it allows."""
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('ziett', 0))")
        async with PostgresLimiter(database, **QUICK) as limiter:
            with pytest.raises(LimiterUnavailable, match=r"LockNotAvailable|TimeoutError"):
                await limiter.acquire(SEND)
        await closed(database)


async def test_a_process_of_the_server_that_is_killed_empties_the_tables(
    server: PostgresServer, limiting: Open
) -> None:
    """The server recovers by itself, and goes on as the one that was started before."""
    server.start()
    async with limiting(server, new_store="start") as limiter:
        await limiter.pause(SEND, 0.0)
        [(began,)] = server.do("SELECT pg_postmaster_start_time()")
        async with limiting(server, new_store="wait") as other:
            last = await fill(limiter)
            os.kill(backends(server)[0], signal.SIGKILL)
            assert await take(other) - last >= PER + LONGEST
    assert server.do("SELECT pg_postmaster_start_time()") == [(began,)]


@attrs.define
class Rows(Script):
    """A bucket in a PostgreSQL."""

    def do(self, statement: str) -> list[tuple[Any, ...]]:
        """Carry out a statement on its rows."""
        return do(self.url, f"{statement} WHERE bucket = %s", self.name)


@pytest.fixture
async def script(postgres_url: str) -> AsyncGenerator[Rows]:
    """Lend a bucket that no other test uses."""
    async with timed(postgres_url) as store:
        yield Rows(store, postgres_url, f"rows-{next(_names)}", ONE)


@pytest.mark.parametrize("what", ["DELETE FROM ziett.buckets", "DELETE FROM ziett.permits"])
async def test_rows_that_were_deleted_are_noticed(script: Rows, what: str) -> None:
    """All is forgotten, and nothing starts until what was forgotten is out of every window."""
    script.terms = attrs.evolve(ONE, distrusts_new_store=True)
    await script.store.distrust(script.name, script.terms, 0.0, 0.0)
    script.store.now += 20.0
    await script.acquire("a")
    await script.release("a")
    await script.acquire("b")
    script.do(what)
    script.store.now += 1.0
    assert await script.wait_of("c") == ONE.quarantine == 14.0


async def test_what_is_out_of_every_window_is_not_kept(script: Rows) -> None:
    """A process with a shorter period leaves to the others what they need."""
    long, short = Terms([Rate(5, per=4.0)], 0.0, 3.0), Terms([Rate(1, per=1.0)], 0.0, 3.0)
    script.terms = attrs.evolve(long, distrusts_new_store=False)
    for number in range(9):
        assert (await script.acquire(str(number))).granted
        script.terms = short
        await script.release(str(number))
        script.terms = long
        script.store.now += 1.0
    assert script.do("SELECT count(*) FROM ziett.permits") == [(4,)]


async def test_a_permit_that_expired_may_be_asked_for_again(script: Rows) -> None:
    """By a process that was suspended: it is a new one, and the old one counts as well."""
    await script.acquire("a")
    script.store.now += 5.0
    assert (await script.acquire("a", asked_before=True)).granted
    assert held(script.url, script.name) == ["a"]
    assert not (await script.acquire("b")).granted
    assert script.do("SELECT permits FROM ziett.buckets") == [(2,)]


async def test_what_is_created_is_no_other_table(database: str) -> None:
    """It is in a schema of its own, so that no migration of the program's tables finds it."""
    async with PostgresLimiter(database, **QUICK) as limiter:
        await take(limiter)
    tables = do(
        database,
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'",
    )
    assert sorted(tables) == [("ziett", "buckets"), ("ziett", "permits")]


async def test_the_example_of_the_page(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader copies it as it is; in a test it is sent to the emulator."""
    [_, program] = FENCED.findall(PAGE.read_text(encoding="utf-8"))
    namespace: dict[str, Any] = {}
    exec(compile(program, PAGE.name, "exec"), namespace)  # noqa: S102 - our own document
    with Emulator() as emulator:
        for name, value in {
            "DATABASE_URL": postgres_url,
            "ZIETT_API_KEY": API_KEY,
            "ZIETT_BASE_URL": emulator.base_url,
            "ZIETT_REMITTER_ID": REMITTER,
        }.items():
            monkeypatch.setenv(name, value)
        namespace["PostgresLimiter"] = partial(PostgresLimiter, new_store="start")
        await namespace["main"]()
        assert len(emulator.service.messages) == 1
