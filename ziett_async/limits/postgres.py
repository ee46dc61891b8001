"""PostgresLimiter: the rate limits of one API key over many processes, in a PostgreSQL database.

```text
async with PostgresLimiter("postgresql://app@db.internal/app") as limiter:
    async with AsyncZiett(limiter=limiter) as client:
        ...
```

`python -m ziett_async.limits.postgres` prints what it creates in the database.
"""

import re
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import sha1
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ziett_async._extras import needs_extra
from ziett_async.errors import LimiterUnavailable
from ziett_async.limits._bucket import Rate
from ziett_async.limits._rates import BATCH, LIST, READ, SEND, rates_of_buckets
from ziett_async.limits.distributed._limiter import DistributedLimiter
from ziett_async.limits.distributed._script import ScriptedStore
from ziett_async.limits.distributed._share import Share

with needs_extra("PostgresLimiter", "postgres", "psycopg[binary]"):
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.errors import (
        InsufficientPrivilege,
        InvalidSchemaName,
        UndefinedFunction,
        UndefinedTable,
    )

    from ziett_async.limits._postgres_connection import Connection, Database

__all__ = ["PostgresLimiter", "Share"]

SCRIPT = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class PostgresLimiter(DistributedLimiter):
    """Keeps all processes that share a PostgreSQL database within the API's rate limits.

    What `TokenBucketLimiter` promises of one process holds for all of them together: no window
    of `per` seconds sees more than `limit` attempts of a bucket arrive at the server. Time is
    the database server's, so the clocks of the processes do not matter. Give all of them the
    same arguments. Needs PostgreSQL 14 or newer; asyncio and trio.

    What it needs it creates once, in a schema of its own, `ziett`. A role that may not create
    schemas needs one that does it before, and grants it the use; see `docs/many-machines.md`. No
    API key is stored: names in the tables hold a hash of service and key.

    A process has one connection, and a thread for it, from the first call until the limiter is
    closed: by `async with`, or `aclose`. They serve all event loops; a forked child has its own.

    Args:
        conninfo: a connection string or URL of libpq: `postgresql://app@db.internal/app`. One of
            SQLAlchemy, `postgresql+psycopg://...`, is taken as well. What it leaves out is
            libpq's to find, such as a password in `PGPASSWORD`.
        send: the rate of `POST /messages`, or several that hold together. A `limit` is at most
            1000000000, a `per` 100000000 seconds.
        list: the rate of the paginated lists. The defaults are those of the API page, Rate
            limits.
        read: the rate of the other GETs.
        batch: the rate of `POST /campaigns/batch`.
        reserve: the share of every rate that bulk attempts leave to urgent ones.
        longest_attempt: seconds that an attempt lasts at the most: the `attempt_timeout` of
            the clients, or more; at most 100000000. After a crash the permits of a process come
            back as late.
        new_store: where the server has no memory of other processes, as after a restart, no
            attempt starts for the longest `per` and `longest_attempt` together; `"start"` takes
            a server that is empty for one that was never used.
        on_failure: when the server does not answer, `"closed"` raises `LimiterUnavailable`, and
            nothing is sent; `Share(1, 5)` uses a fifth of every rate in this process, until
            the server answers again, and the log has a warning when that begins and ends.

    Raises:
        ValueError: an argument cannot be used; the message names it.

    """

    def __init__(  # noqa: PLR0913 - they are the settings of a limiter
        self,
        conninfo: str,
        *,
        send: Rate | Sequence[Rate] = SEND,
        list: Rate | Sequence[Rate] = LIST,  # noqa: A002 - the four are called as the buckets are
        read: Rate | Sequence[Rate] = READ,
        batch: Rate | Sequence[Rate] = BATCH,
        reserve: float = 0.2,
        longest_attempt: float = 15.0,
        new_store: Literal["wait", "start"] = "wait",
        on_failure: Literal["closed"] | Share = "closed",
    ) -> None:
        self._database = Database(_checked(conninfo))
        super().__init__(
            PostgresStore(self._database),
            rates_of_buckets(send, list, read, batch),
            reserve=reserve,
            longest_attempt=longest_attempt,
            new_store=new_store,
            on_failure=on_failure,
        )

    async def aclose(self) -> None:
        """Close its connection, when all steps that were begun have ended.

        Used afterwards, it does what `on_failure` is for.
        """
        self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class PostgresStore(ScriptedStore):
    """The steps of `Store` as one function in a database."""

    name = "postgres"

    def __init__(self, database: Database, script: str = SCRIPT) -> None:
        self._database = database
        version = _version(script)
        self._script = script.replace("VERSION", version)
        self._statement = f"SELECT ziett.step_{version}($1, $2, $3, $4, $5)"

    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Call the function, and create it where it is not there."""
        given = (command, bucket, permit, _array(settings), _array(words))
        try:
            reply = await self._database.do(partial(self._call, given))
        except InsufficientPrivilege:
            raise LimiterUnavailable(_NOT_PERMITTED) from None
        return [int(each) for each in reply.strip("{}").split(",")]

    def _call(self, given: Sequence[str], connection: Connection) -> str:
        try:
            return connection.fetch(self._statement, *given)
        except (InvalidSchemaName, UndefinedFunction, UndefinedTable):
            connection.carry_out(self._script)
        return connection.fetch(self._statement, *given)


_NOT_PERMITTED = (
    "postgres: the role may not create schema ziett, or not use it; have its owner carry out what "
    "`python -m ziett_async.limits.postgres` prints, and the grants of docs/many-machines.md"
)


def _version(script: str) -> str:
    """Return what its functions are named after: those of another version are others."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()[:12]


def _array(values: Sequence[int] | Sequence[str]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _checked(conninfo: object) -> str:
    # What is wrong with it is not said: it may hold a password.
    message = (
        "conninfo: must be a connection string or URL of libpq, such as "
        "postgresql://user@host/database; percent-encode what is special in a URL"
    )
    if not isinstance(conninfo, str):
        raise ValueError(message)  # noqa: TRY004 - as every wrong argument of a limiter
    conninfo = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", conninfo)
    try:
        conninfo_to_dict(conninfo)
    except Error:
        raise ValueError(message) from None
    return conninfo


if __name__ == "__main__":
    sys.stdout.write(SCRIPT.replace("VERSION", _version(SCRIPT)))
