"""The stores of a shared limit on real servers, for tests that are about all of them."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any

import psycopg

from tests.support import postgres, valkey
from ziett_async.limits._postgres_connection import Database
from ziett_async.limits.distributed._limiter import DistributedLimiter
from ziett_async.limits.postgres import SCRIPT, PostgresLimiter, PostgresStore
from ziett_async.limits.redis import RedisLimiter

#: A server that a test may kill.
Server = valkey.StoreServer | postgres.PostgresServer
#: Makes a limiter, of the arguments of one.
NewLimiter = Callable[..., DistributedLimiter]

_CLOCK = "extract(epoch FROM clock_timestamp()) * 1000000"
#: The function on a clock that its last word sets: the one line that reads the server's is
#: another, and all else is the product's.
TIMED_POSTGRES = SCRIPT.replace(_CLOCK, "words[cardinality(words)]")


class TimedPostgresStore(PostgresStore):
    """A store on a real server, whose clock a test sets."""

    def __init__(self, database: Database, script: str = TIMED_POSTGRES) -> None:
        assert SCRIPT.count("clock_timestamp()") == SCRIPT.count(_CLOCK) == 1
        super().__init__(database, script)
        self.database = database
        self.now = 1_000_000.0

    def with_script(self, right: str, wrong: str) -> "TimedPostgresStore":
        """Return another one, whose script has a defect."""
        assert TIMED_POSTGRES.count(right) == 1
        return TimedPostgresStore(self.database, TIMED_POSTGRES.replace(right, wrong))

    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Run it at the time that the test has set."""
        time = str(round(self.now * 1_000_000))
        return await super().run(command, bucket, permit, settings, [*words, time])


def is_postgres(url: str) -> bool:
    """Return whether a server is one of PostgreSQL."""
    return url.startswith("postgresql:")


#: A store whose clock a test sets.
TimedStore = valkey.TimedStore | TimedPostgresStore


@asynccontextmanager
async def timed(url: str) -> AsyncGenerator[TimedStore]:
    """Open a store whose clock a test sets."""
    if is_postgres(url):
        database = Database(url)
        yield TimedPostgresStore(database)
        database.close()
        return
    async with valkey.opened("redis", url) as client:
        yield valkey.TimedStore(client)


@asynccontextmanager
async def limiters(library: str, url: str) -> AsyncGenerator[NewLimiter]:
    """Lend what makes limiters over a server, as their users do."""
    if library != "postgres":
        async with valkey.opened(library, url) as client:
            yield partial(RedisLimiter, client)
        return
    async with AsyncExitStack() as stack:

        def new(**settings: Any) -> PostgresLimiter:  # noqa: ANN401 - its own
            limiter = PostgresLimiter(url, **settings)
            stack.push_async_callback(limiter.aclose)
            return limiter

        yield new


def buckets(url: str) -> list[str]:
    """Return the names of all buckets of which a server keeps something."""
    if is_postgres(url):
        return [name for (name,) in postgres.do(url, "SELECT bucket FROM ziett.buckets")]
    names: list[str] = valkey.do(url, "KEYS", "*")
    return names


def waiting(url: str, bucket: str) -> list[str]:
    """Return the permits that wait for a bucket, in their order."""
    if is_postgres(url):
        order = "ORDER BY is_bulk, ticket"
        return _permits(url, bucket, "waiting", order)
    permits: list[str] = valkey.do(url, "ZRANGE", f"ziett:{{{bucket}}}:waiting", 0, -1)
    return permits


def held(url: str, bucket: str) -> list[str]:
    """Return the permits of a bucket that are held."""
    if is_postgres(url):
        return _permits(url, bucket, "held")
    permits: list[str] = valkey.do(url, "ZRANGE", f"ziett:{{{bucket}}}:held", 0, -1)
    return permits


def make_another_server(url: str, bucket: str) -> None:
    """Have a bucket be one of another server, as after a failover."""
    if is_postgres(url):
        postgres.do(url, "UPDATE ziett.buckets SET run = 'epoch' WHERE bucket = %s", bucket)
    else:
        valkey.do(url, "HSET", f"ziett:{{{bucket}}}:state", "run", "another")


def _permits(url: str, bucket: str, state: str, order: str = "") -> list[str]:
    statement = f"SELECT permit FROM ziett.permits WHERE bucket = %s AND state = %s {order}"  # noqa: S608 - ours
    return [permit for (permit,) in postgres.do(url, statement, bucket, state)]


class RedisKeys:
    """All that a Redis has of one bucket, for a test that replaces it by an older copy."""

    def __init__(self, url: str, bucket: str) -> None:
        redis: Any = import_module("redis")
        self._server = redis.Redis.from_url(url)
        self._pattern = f"ziett:{{{bucket}}}:*"
        self._state = f"ziett:{{{bucket}}}:state"

    def copy(self) -> Any:  # noqa: ANN401 - what `fail_over` needs
        """Return a copy of it; nothing is false."""
        return {key: self._server.dump(key) for key in self._server.keys(self._pattern)}

    def clear(self) -> None:
        """Remove it."""
        self._server.delete(*self._server.keys(self._pattern), "none")

    def fail_over(self, copy: Any) -> None:  # noqa: ANN401 - what `copy` returns
        """Replace it by a copy, on what says that it is another server."""
        seen = self._server.hget(self._state, "seen")
        self.clear()
        for key, value in copy.items():
            self._server.restore(key, 0, value)
        if copy:
            self._server.hset(self._state, mapping={"run": "another", "seen": seen})

    def close(self) -> None:
        """Close the connection."""
        self._server.close()


class PostgresRows:
    """All that a PostgreSQL has of one bucket, for a test that replaces it by an older copy."""

    def __init__(self, url: str, bucket: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._bucket = bucket

    def copy(self) -> Any:  # noqa: ANN401 - what `fail_over` needs
        """Return a copy of it; nothing is false."""
        rows = [self._rows("buckets"), self._rows("permits")]
        return rows if rows[0] else []

    def clear(self) -> None:
        """Remove it."""
        self._connection.execute("DELETE FROM ziett.buckets WHERE bucket = %s", [self._bucket])
        self._connection.execute("DELETE FROM ziett.permits WHERE bucket = %s", [self._bucket])

    def fail_over(self, copy: Any) -> None:  # noqa: ANN401 - what `copy` returns
        """Replace it by a copy, on what says that it is another server."""
        [now] = self._rows("buckets") or [{}]
        self.clear()
        for table, rows in zip(("buckets", "permits"), copy, strict=False):
            self._connection.execute(
                f"INSERT INTO ziett.{table} "  # noqa: S608 - ours
                f"SELECT * FROM json_populate_recordset(NULL::ziett.{table}, %s)".encode(),
                [json.dumps(rows)],
            )
        self._connection.execute(
            "UPDATE ziett.buckets SET run = 'epoch', seen = %s WHERE bucket = %s",
            [now.get("seen"), self._bucket],
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _rows(self, table: str) -> list[dict[str, Any]]:
        statement = f"SELECT coalesce(json_agg(t), '[]') FROM ziett.{table} t WHERE bucket = %s"  # noqa: S608 - ours
        rows: list[dict[str, Any]]
        [(rows,)] = self._connection.execute(statement.encode(), [self._bucket]).fetchall()
        return rows
