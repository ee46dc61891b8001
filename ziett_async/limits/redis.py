"""RedisLimiter: the rate limits of one API key, over any number of processes and machines.

```text
async with coredis.Redis(host="redis.internal") as store:
    async with AsyncZiett(limiter=RedisLimiter(store)) as client:
        ...
```
"""

from collections.abc import Awaitable, Sequence
from hashlib import sha1
from inspect import signature
from pathlib import Path
from typing import Literal, Protocol, cast

from ziett_async.limits._bucket import Rate
from ziett_async.limits._rates import BATCH, LIST, READ, SEND, rates_of_buckets
from ziett_async.limits.distributed._limiter import DistributedLimiter
from ziett_async.limits.distributed._script import ScriptedStore
from ziett_async.limits.distributed._share import Share

__all__ = ["RedisLimiter", "Share"]

SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
_KEYS = ("state", "held", "ends", "waiting", "due", "bulk_ends")


class RedisLimiter(DistributedLimiter):
    """Keeps all processes that share a Redis or Valkey within the API's rate limits.

    What `TokenBucketLimiter` promises of one process holds for all of them together: no window
    of `per` seconds sees more than `limit` attempts of a bucket arrive at the server. Time is
    the store's, so the clocks of the processes do not matter. Give all of them the same
    arguments. Needs Redis 7 or Valkey 8, or newer, also as a cluster.

    The limiter belongs to the event loop of its store's client. It stores no API key: names in
    the store hold a hash of service and key.

    Args:
        store: a client of coredis, for asyncio and trio, or of `redis.asyncio`. You open and
            close it, around everything that uses the limiter.
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
        new_store: where the store has no memory of other processes, as after a restart, no
            attempt starts for the longest `per` and `longest_attempt` together; `"start"` takes
            a store that is empty for one that was never used.
        on_failure: when the store does not answer, `"closed"` raises `LimiterUnavailable`, and
            nothing is sent; `Share(1, 5)` uses a fifth of every rate in this process, until
            the store answers again, and the log has a warning when that begins and ends.

    Raises:
        ValueError: an argument cannot be used; the message names it.

    """

    def __init__(  # noqa: PLR0913 - they are the settings of a limiter
        self,
        store: object,
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
        super().__init__(
            RedisStore(store),
            rates_of_buckets(send, list, read, batch),
            reserve=reserve,
            longest_attempt=longest_attempt,
            new_store=new_store,
            on_failure=on_failure,
        )


class _Client(Protocol):
    """What is called of a client; the libraries differ in how they take keys and arguments."""

    def evalsha(self, digest: str, *arguments: object) -> Awaitable[Sequence[int]]:
        """Run a script that the server has."""
        ...

    def eval(self, script: str, *arguments: object) -> Awaitable[Sequence[int]]:
        """Load and run a script."""
        ...


class RedisStore(ScriptedStore):
    """The steps of `Store` as one script on a server of Redis or Valkey."""

    name = "redis"

    def __init__(self, client: object, script: str = SCRIPT) -> None:
        self._client = _checked_client(client)
        #: redis.asyncio takes how many keys there are, and all in one; coredis takes two lists.
        self._is_counting = "numkeys" in signature(self._client.evalsha).parameters
        self._script = script
        self._digest = sha1(script.encode(), usedforsecurity=False).hexdigest()

    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Run the script, and load it where it is not loaded."""
        # One hash tag: in a cluster, all keys of a bucket are in the same place.
        keys = [f"ziett:{{{bucket}}}:{each}" for each in _KEYS]
        given = [command, permit, " ".join(map(str, settings)), *words]
        arguments = (len(keys), *keys, *given) if self._is_counting else (keys, given)
        try:
            return await self._client.evalsha(self._digest, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
        # A server that was restarted, or one more of a cluster: this loads the script as well.
        return await self._client.eval(self._script, *arguments)


def _checked_client(client: object) -> _Client:
    methods = ("evalsha", "eval", "__aenter__")
    if isinstance(client, type) or any(not callable(getattr(client, m, None)) for m in methods):
        kind = type(client).__name__
        message = f"store: must be a client of coredis or redis.asyncio, got {kind}"
        raise ValueError(message)
    return cast("_Client", client)
