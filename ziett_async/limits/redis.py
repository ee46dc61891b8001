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
from typing import Literal, NamedTuple, Protocol, cast

from ziett_async._operation import Priority
from ziett_async.limits._bucket import Rate, for_bulk
from ziett_async.limits._rates import BATCH, LIST, READ, SEND, rates_of_buckets
from ziett_async.limits.distributed._limiter import DistributedLimiter, Share
from ziett_async.limits.distributed._store import GRACE, Answer, Terms

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
        send: the rate of `POST /messages`, or several that hold together.
        list: the rate of the paginated lists. The defaults are those of the API page, Rate
            limits.
        read: the rate of the other GETs.
        batch: the rate of `POST /campaigns/batch`.
        reserve: the share of every rate that bulk attempts leave to urgent ones.
        longest_attempt: seconds that an attempt lasts at the most: the `attempt_timeout` of
            the clients, or more. After a crash the permits of a process come back as late.
        new_store: where the store has no memory of other processes, as after a restart, no
            attempt starts for the longest `per` and `longest_attempt` together; `"start"` takes
            such a store for one that was never used.
        on_failure: when the store does not answer, `"closed"` raises `LimiterUnavailable`, and
            nothing is sent; `Share(1, 5)` uses a fifth of every rate in this process, until
            the store answers again.

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


class _Arguments(NamedTuple):
    """What is the same in all steps on a bucket."""

    terms: Terms
    keys: list[str]
    settings: str

    @classmethod
    def of(cls, bucket: str, terms: Terms) -> "_Arguments":
        """Make them."""
        # One hash tag: in a cluster, all keys of a bucket are in the same place.
        keys = [f"ziett:{{{bucket}}}:{each}" for each in _KEYS]
        unknown = terms.quarantine if terms.distrusts_new_store else 0
        settings = [_microseconds(each) for each in (terms.lease, terms.quarantine, unknown, GRACE)]
        for rate in terms.rates:
            settings += rate.limit, _microseconds(rate.per), for_bulk(rate.limit, terms.reserve)
        return cls(terms, keys, " ".join(map(str, settings)))


class RedisStore:
    """The steps of `Store` as one script on a server of Redis or Valkey."""

    name = "redis"

    def __init__(self, client: object, script: str = SCRIPT) -> None:
        self._client = _checked_client(client)
        #: redis.asyncio takes how many keys there are, and all in one; coredis takes two lists.
        self._is_counting = "numkeys" in signature(self._client.evalsha).parameters
        self._script = script
        self._by_bucket: dict[str, _Arguments] = {}
        self._digest = sha1(script.encode(), usedforsecurity=False).hexdigest()

    async def acquire(
        self, bucket: str, terms: Terms, permit: str, priority: Priority, *, asked_before: bool
    ) -> Answer:
        """Grant a permit, or keep a place for it."""
        words = priority.value, int(asked_before)
        return await self._run("acquire", bucket, terms, permit, *words)

    async def release(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """End the attempt of a permit."""
        return await self._run("release", bucket, terms, permit)

    async def withdraw(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """Forget a permit that no attempt was made with, and its place."""
        return await self._run("withdraw", bucket, terms, permit)

    async def pause(self, bucket: str, terms: Terms, seconds: float) -> Answer:
        """Start no attempt for so many seconds."""
        return await self._run("pause", bucket, terms, "", _microseconds(seconds))

    async def distrust(self, bucket: str, terms: Terms, jumped: float, by: float) -> Answer:
        """Record that the clock was set and forget everything, unless that was done."""
        words = _microseconds(jumped), _microseconds(by)
        return await self._run("distrust", bucket, terms, "", *words)

    async def _run(
        self, command: str, bucket: str, terms: Terms, permit: str, *words: str | int
    ) -> Answer:
        fixed = self._by_bucket.get(bucket)
        if fixed is None or fixed.terms is not terms:
            fixed = self._by_bucket[bucket] = _Arguments.of(bucket, terms)
        reply = await self._evaluate(fixed.keys, [command, permit, fixed.settings, *words])
        granted, now, until, jumped, is_identified = reply
        return Answer(bool(granted), now / 1e6, until / 1e6, jumped / 1e6, bool(is_identified))

    async def _evaluate(self, keys: Sequence[str], given: Sequence[str | int]) -> Sequence[int]:
        arguments = (len(keys), *keys, *given) if self._is_counting else (keys, given)
        try:
            return await self._client.evalsha(self._digest, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
        # A server that was restarted, or one more of a cluster: this loads the script as well.
        return await self._client.eval(self._script, *arguments)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _checked_client(client: object) -> _Client:
    methods = ("evalsha", "eval", "__aenter__")
    if isinstance(client, type) or any(not callable(getattr(client, m, None)) for m in methods):
        kind = type(client).__name__
        message = f"store: must be a client of coredis or redis.asyncio, got {kind}"
        raise ValueError(message)
    return cast("_Client", client)
