"""Processes that share a limit: real ones, killed at any time, judged by what the server sees."""

from collections.abc import Generator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.support.postgres import PostgresServer
from tests.support.sharing import Seen, Sharing
from tests.support.stores import Server
from tests.support.valkey import FAKETIME, NO_FAKETIME, StoreServer

LIMIT, PER = 20, 1.0
#: So long an attempt may last: a busy machine needs it.
LONGEST = 2.0

needs_faketime = pytest.mark.skipif(FAKETIME is None, reason=NO_FAKETIME)


WAYS = {
    "valkey": ["asyncio-redis", "trio-coredis"],
    "postgres": ["asyncio-postgres", "trio-postgres"],
}


@pytest.fixture
def kind() -> str:
    """Return of which kind the store is."""
    return "valkey"


@pytest.fixture
def server(kind: str, tmp_path: Path) -> Generator[Server]:
    """Lend a server of its own."""
    server = PostgresServer() if kind == "postgres" else StoreServer(tmp_path)
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def sharing(server: Server) -> Sharing:
    """Lend an emulator that answers 429 beyond the limit."""
    return Sharing(LIMIT, PER, server.url)


def wait_for(sharing: Sharing, arrivals: int) -> None:
    """Wait until the emulator has seen so many attempts."""
    deadline = monotonic() + 40.0
    while len(sharing.fake.arrivals("send")) < arrivals:
        assert monotonic() < deadline
        sleep(0.05)


def holds(seen: Seen) -> bool:
    """Return whether the limit was kept, and no message sent twice."""
    return seen.worst <= seen.limit and seen.refused == 0 and seen.twice == 0


@pytest.mark.promise("No window of a limit shared by processes has more than the limit")
@pytest.mark.parametrize("kind", WAYS)
def test_processes_that_are_killed_and_a_store_that_is(
    sharing: Sharing, server: Server, kind: str
) -> None:
    """Eight processes, one killed every second, and the store in the middle: no 429."""
    settings: dict[str, Any] = {"new_store": "wait", "longest": LONGEST, "ways": WAYS[kind]}
    with sharing.run(40.0, kill_every=1.0, **settings) as end:
        wait_for(sharing, 2 * LIMIT)
        server.kill()
        server.start()
        wait_for(sharing, 3 * LIMIT)
        end()
    seen = sharing.seen()
    assert holds(seen)
    assert len(seen.shares) == 8


@needs_faketime
def test_clocks_that_are_seconds_apart_do_not_matter(sharing: Sharing) -> None:
    """Neither those of the processes nor the store's is the emulator's: time is the store's."""
    with sharing.run(4.0, processes=6, ahead=(0.0, 20.0, -20.0), longest=LONGEST):
        pass
    seen = sharing.seen()
    assert holds(seen)
    assert len(seen.arrivals) > LIMIT
    assert len(seen.shares) == 6


@pytest.mark.naive("A limiter for each process", "as many times the limit as there are processes")
def test_a_limiter_for_each_process_breaks_it(server: Server) -> None:
    """It fails the same test."""
    sharing = Sharing(LIMIT, PER, server.url, is_enforced=False)
    with sharing.run(3.0, processes=4, limiter="local"):
        pass
    assert not holds(sharing.seen())


@needs_faketime
@pytest.mark.naive("Times stamped by the callers", "a clock that is ahead empties the window")
def test_times_of_the_callers_break_it(server: Server) -> None:
    """The design that most articles show fails the same test."""
    sharing = Sharing(LIMIT, PER, server.url, is_enforced=False)
    ways = ["asyncio-redis"]
    with sharing.run(3.0, processes=4, ahead=(0.0, 20.0), limiter="stamped", ways=ways):
        pass
    assert not holds(sharing.seen())
