"""The stores of a shared limit on real servers, for tests that are about all of them."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

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

    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Run it at the time that the test has set."""
        time = str(round(self.now * 1_000_000))
        return await super().run(command, bucket, permit, settings, [*words, time])


def is_postgres(url: str) -> bool:
    """Return whether a server is one of PostgreSQL."""
    return url.startswith("postgresql:")


@asynccontextmanager
async def timed(url: str) -> AsyncGenerator[Any]:
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
