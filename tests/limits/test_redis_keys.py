"""What RedisLimiter has in a store, key by key, on a clock that the test sets."""

from collections.abc import AsyncGenerator
from itertools import count

import attrs
import pytest

from tests.limits._steps import ONE, Script
from tests.support.valkey import TimedStore, do, opened
from ziett_async import Priority, Rate
from ziett_async.limits.distributed._store import Terms

pytestmark = pytest.mark.anyio

_names = count()


@pytest.fixture
def anyio_backend() -> str:
    """Run on one event loop: it is the server that is tested."""
    return "asyncio"


@attrs.define
class Keys(Script):
    """A bucket in a Redis."""

    def do(self, command: str, key: str, *words: str | float) -> object:
        """Carry out a command on one of its keys."""
        return do(self.url, command, f"ziett:{{{self.name}}}:{key}", *words)

    def keys(self) -> set[str]:
        """Return the names of its keys, without what they have in common."""
        found: list[str] = do(self.url, "KEYS", f"ziett:{{{self.name}}}:*")
        return {key.rpartition(":")[2] for key in found}


@pytest.fixture
async def script(valkey_url: str) -> AsyncGenerator[Keys]:
    """Lend a bucket that no other test uses."""
    async with opened("redis", valkey_url) as client:
        yield Keys(TimedStore(client), valkey_url, f"keys-{next(_names)}", ONE)


async def test_without_waiters_the_keys_of_the_queue_are_not_touched(script: Keys) -> None:
    """A permit that is free is granted, and released, by three keys."""
    await script.acquire("a")
    await script.acquire("b")
    assert script.keys() == {"state", "held"}
    await script.release("a")
    assert script.keys() == {"state", "held", "ends"}


async def test_the_list_of_ends_is_as_long_as_the_largest_limit(script: Keys) -> None:
    """A process with a lower limit leaves to the others what they need."""
    high, low = Terms([Rate(5, per=1.0)], 0.0, 3.0), Terms([Rate(1, per=1.0)], 0.0, 3.0)
    script.terms = attrs.evolve(high, distrusts_new_store=False)
    for number in range(7):
        assert (await script.acquire(str(number))).granted
        script.store.now += 1.0
        script.terms = low
        await script.release(str(number))
        script.terms = high
        script.store.now += 1.0
    assert script.do("LLEN", "ends") == 5


KEYS = ("state", "held", "ends")


@pytest.mark.parametrize("key", KEYS)
async def test_one_lost_key_is_noticed(script: Keys, key: str) -> None:
    """All is forgotten, and nothing starts until what was forgotten is out of every window."""
    script.terms = attrs.evolve(ONE, distrusts_new_store=True)
    await script.store.distrust(script.name, script.terms, 0.0, 0.0)
    script.store.now += 20.0
    await script.acquire("a")
    await script.release("a")
    await script.acquire("b")
    script.do("DEL", key)
    script.store.now += 1.0
    assert await script.wait_of("c") == ONE.quarantine == 14.0


async def test_a_lost_queue_costs_places_only(script: Keys) -> None:
    """A waiter asks again and waits; nothing starts for it."""
    for permit in "ab":
        await script.acquire(permit)
    await script.wait_of("c")
    script.do("DEL", "waiting")
    script.do("DEL", "due")
    assert not (await script.acquire("c", asked_before=True)).granted
    await script.release("a")
    script.store.now += 10.0
    assert (await script.acquire("c", asked_before=True)).granted


async def test_lost_ends_of_bulk_attempts_cost_the_reserve_only(script: Keys) -> None:
    """No more attempts start than the limit allows, and nothing has to stop for it."""
    script.terms = Terms([Rate(4, per=10.0)], 0.5, 3.0, distrusts_new_store=False)
    for permit in "ab":
        await script.acquire(permit, Priority.BULK)
        await script.release(permit)
    script.do("DEL", "bulk_ends")
    for permit in "cd":
        assert (await script.acquire(permit, Priority.BULK)).granted
    assert await script.wait_of("e", Priority.BULK) == 10.0
    assert await script.wait_of("f") == 10.0
