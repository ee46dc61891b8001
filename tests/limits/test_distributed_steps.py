"""A step of a store on a real server, on a clock that the test sets: rules and arithmetic."""

import shutil
from collections.abc import AsyncGenerator, Generator, Sequence
from itertools import count
from random import Random

import attrs
import pytest

from tests.limits._steps import ONE, Script
from tests.support.stores import held, make_another_server, timed, waiting
from tests.support.valkey import BINARY, StoreServer
from ziett_async import Priority, Rate
from ziett_async.limits._bucket import Tokens
from ziett_async.limits.distributed._store import GRACE, Terms

pytestmark = pytest.mark.anyio

URGENT, BULK = Priority.URGENT, Priority.BULK
REDIS = shutil.which("redis-server")
HALF = Terms([Rate(4, per=10.0)], 0.5, 3.0, distrusts_new_store=False)
_names = count()


@pytest.fixture
def anyio_backend() -> str:
    """Run on one event loop: it is the server that is tested."""
    return "asyncio"


@pytest.fixture(scope="module", params=["valkey", "redis", "postgres"])
def store_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[str]:
    """Start a Valkey, a Redis and a PostgreSQL, where they are there."""
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_url")
        return
    binary = {"valkey": BINARY, "redis": REDIS}[request.param]
    if binary is None:
        pytest.skip("no redis-server on PATH: apt-get install redis-server")
    server = StoreServer(tmp_path_factory.mktemp("store"), binary=binary).start()
    yield server.url
    server.kill()


@pytest.fixture
async def script(store_url: str) -> AsyncGenerator[Script]:
    """Lend a bucket that no other test uses."""
    async with timed(store_url) as store:
        yield Script(store, store_url, f"script-{next(_names)}", ONE)


async def test_a_slot_is_free_one_window_after_its_release(script: Script) -> None:
    """Not one window after it was taken, and not earlier by a microsecond."""
    assert (await script.acquire("a")).granted
    assert (await script.acquire("b")).granted
    script.store.now += 2.5
    await script.release("a")
    script.store.now += 10.0 - 1e-6
    assert await script.wait_of("c") == pytest.approx(1e-6, abs=5e-7)
    script.store.now += 1e-6
    assert (await script.acquire("c", asked_before=True)).granted
    assert not (await script.acquire("d")).granted


async def test_what_is_in_flight_ends_now_at_the_earliest(script: Script) -> None:
    """So a caller is asked back after a window, then when the slot is free."""
    await script.acquire("a")
    await script.acquire("b")
    assert await script.wait_of("c") == 10.0
    script.store.now += 4.0
    await script.release("b")
    script.store.now += 6.0
    answer = await script.acquire("c", asked_before=True)
    assert answer.until - script.store.now == 4.0


async def test_a_permit_that_is_never_released_ends_with_its_lease(script: Script) -> None:
    """A process that died may have started its attempt as late as it may start one."""
    await script.acquire("a")
    await script.acquire("b")
    assert ONE.lease == 4.0
    script.store.now += 14.0 - 1e-6
    assert not (await script.acquire("c")).granted
    script.store.now += 1e-6
    assert (await script.acquire("c", asked_before=True)).granted


async def test_several_rates_each_see_their_own_windows(script: Script) -> None:
    """A permit that expired frees the slot of the short window after that, not after both."""
    script.terms = Terms([Rate(3, per=60.0), Rate(2, per=1.0)], 0.0, 3.0, distrusts_new_store=False)
    for permit in "ab":
        assert (await script.acquire(permit)).granted
        await script.release(permit)
    assert await script.wait_of("c") == 1.0
    script.store.now += 1.0
    assert (await script.acquire("c", asked_before=True)).granted
    await script.release("c")
    assert await script.wait_of("d") == 59.0


async def test_waiters_come_back_in_their_order(script: Script) -> None:
    """Each is asked back when its own slot is free; one that comes early does not overtake."""
    for permit in "ab":
        await script.acquire(permit)
        await script.release(permit)
        script.store.now += 1.0
    assert await script.wait_of("c") == 8.0
    assert await script.wait_of("d") == min(9.0, 8.0 + GRACE)
    script.store.now += 8.0
    assert not (await script.acquire("d", asked_before=True)).granted
    assert (await script.acquire("c", asked_before=True)).granted


async def test_a_waiter_that_died_is_passed_over(script: Script) -> None:
    """The next one is asked back at the moment from which it counts as dead, and moves up."""
    for permit in "ab":
        await script.acquire(permit)
        await script.release(permit)
        script.store.now += 4.0
    assert await script.wait_of("dead") == 2.0
    assert await script.wait_of("next") == 2.0 + GRACE
    script.store.now += 2.0 + GRACE
    assert (await script.acquire("next", asked_before=True)).granted
    assert waiting(script.url, script.name) == []


async def test_urgent_waiters_go_before_bulk(script: Script) -> None:
    """Also before bulk ones that have waited for longer."""
    for permit in "ab":
        await script.acquire(permit)
    await script.wait_of("bulk", BULK)
    await script.wait_of("urgent")
    await script.release("a")
    script.store.now += 10.0
    assert not (await script.acquire("bulk", BULK, asked_before=True)).granted
    assert (await script.acquire("urgent", asked_before=True)).granted


async def test_bulk_leaves_the_reserve(script: Script) -> None:
    """And waits until there is more than that."""
    script.terms = HALF
    assert (await script.acquire("a", BULK)).granted
    assert (await script.acquire("b", BULK)).granted
    assert await script.wait_of("c", BULK) == 10.0
    assert (await script.acquire("d")).granted
    assert (await script.acquire("e")).granted
    assert not (await script.acquire("f")).granted


async def test_urgent_permits_take_nothing_from_bulk(script: Script) -> None:
    """Bulk has what the reserve leaves, whether urgent attempts use the reserve or not."""
    script.terms = HALF
    for permit in "ab":
        assert (await script.acquire(permit)).granted
    for permit in "cd":
        assert (await script.acquire(permit, BULK)).granted
        await script.release(permit)
    assert await script.wait_of("e", BULK) == 10.0


async def test_a_bulk_permit_that_expires_is_still_bulk(script: Script) -> None:
    """It comes back to bulk a window after its lease, and until then others cannot have it."""
    script.terms = HALF
    for permit in "ab":
        await script.acquire(permit, BULK)
    script.store.now += 5.0
    assert await script.wait_of("c", BULK) == 9.0
    script.store.now += 9.0
    assert (await script.acquire("c", BULK, asked_before=True)).granted
    assert (await script.acquire("d", BULK)).granted


async def test_a_bulk_permit_that_is_asked_for_again_or_withdrawn(script: Script) -> None:
    """It counts once, and then not at all."""
    script.terms = HALF
    for asked_before in (False, True):
        assert (await script.acquire("a", BULK, asked_before=asked_before)).granted
    await script.store.withdraw(script.name, script.terms, "a")
    for permit in "bc":
        assert (await script.acquire(permit, BULK)).granted
    assert not (await script.acquire("d", BULK)).granted


async def test_asking_again_is_answered_as_before(script: Script) -> None:
    """The first answer was lost: there is one permit, and it lasts as long as a new one."""
    await script.acquire("a")
    script.store.now += 3.0
    assert (await script.acquire("a", asked_before=True)).granted
    assert held(script.url, script.name) == ["a"]
    script.store.now += 3.0
    assert (await script.acquire("b")).granted
    assert not (await script.acquire("c")).granted


async def test_a_step_that_is_tried_again_is_answered_as_before(script: Script) -> None:
    """Its connection broke before the answer came: the last token is its own, and it has it."""
    for permit in "ab":
        await script.acquire(permit)
    assert (await script.acquire("b")).granted
    assert not (await script.acquire("c")).granted
    assert waiting(script.url, script.name) == ["c"]


async def test_a_late_or_repeated_release_changes_nothing(script: Script) -> None:
    """The slot counts from the first release, or from the end of the lease."""
    await script.acquire("a")
    await script.release("a")
    script.store.now += 5.0
    await script.release("a")
    await script.acquire("b")
    assert await script.wait_of("c") == 5.0
    script.store.now += 8.0
    await script.release("b")
    assert (await script.acquire("c", asked_before=True)).granted
    assert (await script.acquire("d")).until - script.store.now == pytest.approx(6.0)


async def test_a_withdrawn_permit_was_never_used(script: Script) -> None:
    """It is free at once, and so is its place."""
    await script.acquire("a")
    await script.acquire("b")
    await script.wait_of("c")
    await script.store.withdraw(script.name, script.terms, "a")
    await script.store.withdraw(script.name, script.terms, "c")
    assert waiting(script.url, script.name) == []
    assert (await script.acquire("d")).granted


async def test_a_pause_is_never_shortened(script: Script) -> None:
    """And holds for every process."""
    await script.store.pause(script.name, script.terms, 30.0)
    await script.store.pause(script.name, script.terms, 3.0)
    assert await script.wait_of("a") == 30.0
    assert await script.wait_of("b") == 30.0
    script.store.now += 30.0
    assert (await script.acquire("a", asked_before=True)).granted


async def test_another_server_with_the_same_data_is_noticed(script: Script) -> None:
    """After a failover or a restart from disk the last steps may be missing."""
    await script.acquire("a")
    make_another_server(script.url, script.name)
    script.terms = attrs.evolve(ONE, distrusts_new_store=True)
    assert await script.wait_of("b") == 14.0


async def test_another_server_with_the_same_data_is_not_a_new_one(script: Script) -> None:
    """So it is not trusted as one, and only what has no data starts at once."""
    await script.acquire("a")
    make_another_server(script.url, script.name)
    assert not ONE.distrusts_new_store
    assert await script.wait_of("b") == 14.0


async def test_a_clock_set_back_is_noticed(script: Script) -> None:
    """By more than a tenth of a second; by less, it stands until it is there again."""
    await script.acquire("a")
    script.store.now -= 0.1
    answer = await script.acquire("b")
    assert answer.granted
    assert answer.now == script.store.now + 0.1
    script.store.now -= 0.01
    assert await script.wait_of("c") == 14.0


async def test_the_first_to_distrust_begins_the_quarantine(script: Script) -> None:
    """The others that noticed the same do not make it longer, and learn that it was noticed."""
    assert (await script.acquire("a")).jumped == 0.0
    script.store.now += 25.0
    first = await script.store.distrust(script.name, script.terms, 0.0, 20.0)
    assert (first.jumped, first.until - first.now) == (20.0, 14.0)
    script.store.now += 5.0
    second = await script.store.distrust(script.name, script.terms, 0.0, 20.0)
    assert (second.jumped, second.until - second.now) == (20.0, 9.0)
    script.store.now -= 30.0
    assert (await script.acquire("b")).jumped == -10.0


RATES = [
    [Rate(3, per=2.0)],
    [Rate(1, per=1.0)],
    [Rate(5, per=3.0), Rate(2, per=0.5)],
    [Rate(2, per=0.25), Rate(4, per=1.0), Rate(7, per=6.0)],
]


@pytest.mark.parametrize("rates", RATES, ids=str)
async def test_it_counts_as_the_local_bucket_does(script: Script, rates: Sequence[Rate]) -> None:
    """Through thousands of random steps: the same attempts start, after the same waits."""
    random = Random(rates[0].limit)  # noqa: S311 - the same each time
    reserve = random.choice([0.0, 0.2, 0.5])
    script.terms = Terms(rates, reserve, 1000.0, distrusts_new_store=False)
    tokens, held, permits = Tokens(rates, reserve), list[tuple[str, Priority]](), count()
    await script.store.pause(script.name, script.terms, 0.0)
    for _ in range(500):
        # Fractions of a second that both clocks can show exactly.
        script.store.now += random.choice([0, 0, 1, 8, 64]) / 64
        now = script.store.now
        if held and random.random() < 0.5:
            permit, priority = held.pop(random.randrange(len(held)))
            await script.release(permit)
            (tokens.give_back if priority == URGENT else tokens.give_back_bulk)(now)
            continue
        permit, priority = str(next(permits)), random.choice([URGENT, BULK])
        earliest = tokens.earliest(now, 0, priority, 0)
        answer = await script.acquire(permit, priority)
        assert answer.until == earliest
        assert answer.granted is tokens.take(now, priority)
        if answer.granted:
            held.append((permit, priority))
        else:
            await script.store.withdraw(script.name, script.terms, permit)
