"""The protocol of the shared limit: everything that can happen in a small model of it.

And the model is what the script does: random paths through it are walked on a real server.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from itertools import count
from random import Random
from typing import Any

import anyio
import attrs
import pytest

from tests.docs.limit_traces import COMMAND, PAGE, written
from tests.proofs.shared_limit_model import (
    BACK,
    FORWARD,
    GRANTED,
    LONGEST,
    QUARANTINE,
    RIGHT,
    SLOTS,
    WINDOW,
    WRONG,
    State,
    Step,
    begin,
    explore,
    successors,
)
from tests.support.postgres import PostgresServer
from tests.support.stores import PostgresRows, RedisKeys, TimedStore, is_postgres, timed
from tests.support.valkey import StoreServer
from ziett_async import LimiterUnavailable, Priority, Rate
from ziett_async.limits.distributed._bucket import Received, StoreBucket
from ziett_async.limits.distributed._store import START_WITHIN, Terms


@pytest.mark.promise("No window of a limit shared by processes has more than the limit")
def test_no_order_of_events_breaks_the_limit() -> None:
    """Four processes, any two faults, answers and releases lost at any time."""
    states, way = explore(4, RIGHT)
    assert way == []
    assert states > 20_000


def test_each_rule_is_needed() -> None:
    """Without it the limit is broken; the page shows the shortest way to that, as it is found."""
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, f"run {COMMAND}"
    assert [name for name in WRONG if f"| {name} | " not in text] == []


_names = count()


@attrs.define
class Walk:
    """A path through the model, walked on a real server too."""

    store: TimedStore
    #: What the server has of the bucket.
    kept: RedisKeys | PostgresRows
    name: str
    state: State
    now: float = 0.0
    buckets: list[StoreBucket] = attrs.field(factory=list[StoreBucket])
    permits: list[str | None] = attrs.field(factory=list[str | None])
    ids: Any = attrs.field(factory=count)
    #: A copy of it from before the last step of the store.
    before: Any = attrs.field(factory=dict[str, bytes])

    terms = Terms([Rate(SLOTS, per=WINDOW)], 0.0, LONGEST - START_WITHIN)

    def monotonic(self) -> float:
        """Return the time of the processes."""
        return self.now

    time = monotonic

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Have none of them wait: a walk takes one step after the other."""
        raise AssertionError(seconds, until)

    async def begin(self) -> None:
        """Have every process see the store, and wait for its first quarantine."""
        self.buckets = [
            StoreBucket(self.store, self.name, self.terms, self) for _ in self.state.clients
        ]
        self.permits = [None] * len(self.buckets)
        await self.buckets[0].step(self.store.pause, 0.0)
        self.now += QUARANTINE
        self.store.now += QUARANTINE
        for each in self.buckets:
            await each.step(self.store.pause, 0.0)
        self.remember()

    def remember(self) -> None:
        """Keep a copy of what the server has of the bucket."""
        self.before = self.kept.copy()

    async def take(self, step: Step, after: State) -> None:
        """Take a step on the server, and see that it does what the model does."""
        name, index = step
        if name in {"ask", "ask, answer lost", "release"}:
            self.remember()
        if name == "ask":
            await self.ask(index, after)
        elif name == "ask, answer lost":
            await self.ask_and_lose(index)
        elif name == "release":
            await self.buckets[index].step(self.store.release, self.permits[index] or "")
            self.permits[index] = None
        elif name == "release lost":
            self.permits[index] = None
        elif name == "flush":
            self.kept.clear()
            self.before = {}
        elif name == "failover":
            self.kept.fail_over(self.before)
        elif name == "tick":
            self.now += 1
            self.store.now += 1
        elif name.startswith("clock"):
            self.store.now += FORWARD if name == "clock forward" else -BACK
        self.state = after

    async def ask(self, index: int, after: State) -> None:
        """Ask as a process does; where it has to wait, do not queue: the model has no queue."""
        bucket, permit = self.buckets[index], self.permits[index]
        new = permit or str(next(self.ids))
        received: Received = await bucket.step(
            self.store.acquire, new, Priority.URGENT, asked_before=permit is not None
        )
        answer = received.answer
        assert answer.granted is (after.clients[index].phase == GRANTED)
        if not answer.granted:
            if after.closed > 0:
                assert answer.until - answer.now == after.closed
            await self.store.withdraw(self.name, self.terms, new)
        self.permits[index] = new if answer.granted else None

    async def ask_and_lose(self, index: int) -> None:
        """Ask, and do not look at the answer."""
        permit = self.permits[index]
        new = permit or str(next(self.ids))
        answer = await self.store.acquire(
            self.name, self.terms, new, Priority.URGENT, asked_before=permit is not None
        )
        if not answer.granted:
            await self.store.withdraw(self.name, self.terms, new)
        self.permits[index] = new if answer.granted else None


@pytest.fixture
def anyio_backend() -> str:
    """Run on one event loop: it is the server that is walked on."""
    return "asyncio"


@pytest.fixture(scope="module", params=["valkey", "postgres"])
def store_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[str]:
    """Start a server for all walks."""
    is_postgres = request.param == "postgres"
    server = PostgresServer() if is_postgres else StoreServer(tmp_path_factory.mktemp("walks"))
    try:
        yield server.start().url
    finally:
        server.remove()


@pytest.fixture
async def store(store_url: str) -> AsyncGenerator[TimedStore]:
    """Lend a store on a clock of the test's."""
    async with timed(store_url) as store:
        yield store


async def walk(store: TimedStore, url: str, seed: int, steps: int = 30) -> list[Step]:
    """Walk a random path; return it, also up to where the server did something else."""
    random, taken = Random(seed), list[Step]()  # noqa: S311 - the same each time
    name = f"walk-{next(_names)}"
    kept = PostgresRows(url, name) if is_postgres(url) else RedisKeys(url, name)
    with closing(kept):
        path = Walk(store, kept, name, begin(3))
        await path.begin()
        for _ in range(steps):
            step, after = random.choice(list(successors(path.state, RIGHT)))
            taken.append(step)
            await path.take(step, after)
    return taken


async def walk_all(store: TimedStore, url: str, seeds: range) -> list[Step]:
    """Walk many paths; return all their steps."""
    return [step for seed in seeds for step in await walk(store, url, seed)]


@pytest.mark.anyio
async def test_the_script_does_what_the_model_does(store: TimedStore, store_url: str) -> None:
    """On random paths, with every step there is."""
    # A PostgreSQL is slower, and some walks take each step that there is.
    taken = await walk_all(store, store_url, range(50 if is_postgres(store_url) else 150))
    assert len({name for name, _ in taken}) == 12


#: What is wrong, and how it is written in each script.
DEFECTS = {
    "no quarantine": [
        ("open = now + seconds", "open = now"),
        ("now + forget,", "now,"),
    ],
    "a run id that is not compared": [
        ("run ~= run_id()", "false"),
        ("this.run <> pg_postmaster_start_time()", "false"),
    ],
    "a clock that may go back": [
        ("now < seen - BACKWARD", "false"),
        ("now < this.seen - backward", "false"),
    ],
    "what is known of the clock is lost": [
        ("jumped = jumped + tonumber", "jumped = 0 * tonumber"),
        ("this.jumped + words[2]", "0 * words[2]"),
    ],
    "permits that never expire": [
        ("now + lease", "now + 1000 * lease"),
        ("now + lease", "now + 1000 * lease"),
    ],
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", DEFECTS)
async def test_a_script_with_a_defect_is_found(
    store: TimedStore, store_url: str, name: str
) -> None:
    """The walks would not pass with it."""
    right, wrong = DEFECTS[name][is_postgres(store_url)]
    broken = store.with_script(right, wrong)
    with pytest.raises((AssertionError, LimiterUnavailable)):
        await walk_all(broken, store_url, range(1000, 1400))
