"""Processes that share a limit: real ones, killed at any time, judged by what the server sees."""

from collections.abc import Callable, Generator
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.support.faketime import needs_faketime
from tests.support.postgres import PostgresServer
from tests.support.sharing import Seen, Sharing
from tests.support.stores import Server
from tests.support.valkey import StoreServer
from ziett_async.limits.distributed._store import START_WITHIN

LIMIT, PER = 20, 1.0
#: So long an attempt may last: a busy machine needs it.
LONGEST = 2.0

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


def wait_until(is_seen: Callable[[], bool]) -> None:
    """Wait until the emulator has seen enough."""
    deadline = monotonic() + 35.0
    while not is_seen():
        assert monotonic() < deadline
        sleep(0.05)


def wait_for(sharing: Sharing, arrivals: int) -> None:
    """Wait until it has seen so many attempts."""
    wait_until(lambda: len(sharing.fake.arrivals("send")) >= arrivals)


def is_within_limit(seen: Seen) -> bool:
    """Return whether the limit was kept."""
    return seen.worst <= seen.limit and seen.refused == 0


def is_once(seen: Seen) -> bool:
    """Return whether every message was sent, and none twice."""
    return seen.twice == seen.lost == 0


def holds(seen: Seen) -> bool:
    """Return whether the limit was kept, and every message sent once."""
    return is_within_limit(seen) and is_once(seen)


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


#: A short window, and how long attempts may last. After so many seconds, nothing of a process is
#: in any window.
FEW, SHORT_PER, SHORT = 5, 0.5, 1.0
FORGOTTEN = START_WITHIN + SHORT + SHORT_PER


def flush_full_windows(
    sharing: Sharing, server: StoreServer, new_store: str, times: int = 1
) -> Seen:
    """Run four processes, and flush their store when they have filled a window."""
    server.do("PING")
    with sharing.run(30.0, processes=4, longest=SHORT, new_store=new_store) as end:
        for number in range(times):
            wait_for(sharing, (number + 2) * FEW)
            server.do("FLUSHALL")
        wait_for(sharing, (times + 3) * FEW)
        end()
    return sharing.seen()


@pytest.mark.promise("No window of a limit shared by processes has more than the limit")
def test_a_store_that_is_flushed_in_the_middle(server: StoreServer) -> None:
    """No process starts an attempt before what the store forgot is out of every window."""
    sharing = Sharing(FEW, SHORT_PER, server.url)
    seen = flush_full_windows(sharing, server, "wait")
    assert holds(seen)
    assert max(later - at for at, later in pairwise(seen.arrivals)) > FORGOTTEN - SHORT_PER
    assert len(seen.shares) == 4


@pytest.mark.naive("A flushed store that is trusted", "fills the same window twice")
def test_a_flushed_store_that_is_trusted_breaks_it(server: StoreServer) -> None:
    """What `new_store="start"` risks: the same run fails."""
    sharing = Sharing(FEW, SHORT_PER, server.url, is_enforced=False)
    assert not holds(flush_full_windows(sharing, server, "start", times=4))


def suspend_with_a_permit(sharing: Sharing, **settings: Any) -> Seen:  # noqa: ANN401 - settings
    """Suspend one of four processes between its permit and its request, for longer than a lease."""
    settings |= {"longest": SHORT, "suspend_for": FORGOTTEN + 0.3}
    with sharing.run(30.0, processes=4, **settings) as end:
        while not [each for each in sharing.fake.messages if each.content.startswith("0:")]:
            wait_for(sharing, len(sharing.fake.arrivals("send")) + 1)
        wait_for(sharing, len(sharing.fake.arrivals("send")) + FEW)
        end()
    return sharing.seen()


@pytest.mark.promise("No window of a limit shared by processes has more than the limit")
def test_a_process_that_is_suspended_with_a_permit(server: StoreServer) -> None:
    """It does not use a permit that may have expired meanwhile, but asks for it again."""
    seen = suspend_with_a_permit(Sharing(FEW, SHORT_PER, server.url))
    assert holds(seen)
    first = next(n for n, text in enumerate(seen.texts) if text.startswith("0:"))
    assert first > 3 * FEW


@pytest.mark.naive("A permit that is used at any age", "its attempt comes after its lease")
def test_a_permit_that_is_used_at_any_age_breaks_it(server: StoreServer) -> None:
    """The same suspended process sends into a window that others have filled."""
    sharing = Sharing(FEW, SHORT_PER, server.url, is_enforced=False)
    assert not holds(suspend_with_a_permit(sharing, limiter="ageless"))


@needs_faketime
def test_clocks_that_are_seconds_apart_do_not_matter(sharing: Sharing) -> None:
    """Neither those of the processes nor the store's is the emulator's: time is the store's."""
    with sharing.run(40.0, processes=6, ahead=(0.0, 20.0, -20.0), longest=LONGEST) as end:
        wait_until(lambda: len(sharing.seen().shares) == 6)
        wait_for(sharing, 3 * LIMIT)
        end()
    assert holds(sharing.seen())


def is_sent_again(sharing: Sharing) -> bool:
    """Return whether five messages have come twice: with their key, or as others."""
    return sum(each.replayed for each in sharing.fake.requests) + sharing.seen().twice >= 5


#: Answers that come so late that most kills hit a message that was sent and not answered yet.
SLOW = 0.3


def run_slowly(server: Server, *, is_keyed: bool) -> Seen:
    """Kill processes in the middle of sends, until five messages were sent again."""
    sharing = Sharing(200, PER, server.url, latency=SLOW)
    settings: dict[str, Any] = {"kill_every": SLOW, "longest": LONGEST, "is_keyed": is_keyed}
    with sharing.run(40.0, processes=4, **settings) as end:
        wait_until(lambda: is_sent_again(sharing))
        end()
    return sharing.seen()


@pytest.mark.promise("A process that is killed leaves no message unsent or sent twice")
def test_killed_in_the_middle_of_a_send_a_message_is_sent_once(server: Server) -> None:
    """Each process goes on where the one before it was killed, with the same key."""
    assert holds(run_slowly(server, is_keyed=True))


@pytest.mark.naive("A key for each call of processes that are killed", "two for one kill")
def test_without_a_key_of_its_own_a_message_is_sent_twice(server: Server) -> None:
    """It fails the same test."""
    seen = run_slowly(server, is_keyed=False)
    assert is_within_limit(seen)
    assert not is_once(seen)


@pytest.mark.naive("A limiter for each process", "as many times the limit as there are processes")
def test_a_limiter_for_each_process_breaks_it(server: Server) -> None:
    """It fails the same test."""
    sharing = Sharing(LIMIT, PER, server.url, is_enforced=False)
    with sharing.run(40.0, processes=4, limiter="local") as end:
        wait_until(lambda: not is_within_limit(sharing.seen()))
        end()


@needs_faketime
@pytest.mark.naive("Times stamped by the callers", "a clock that is ahead empties the window")
def test_times_of_the_callers_break_it(server: Server) -> None:
    """The design that most articles show fails the same test."""
    sharing = Sharing(LIMIT, PER, server.url, is_enforced=False)
    ways = ["asyncio-redis"]
    settings: dict[str, Any] = {"limiter": "stamped", "ways": ways}
    with sharing.run(40.0, processes=4, ahead=(0.0, 20.0), **settings) as end:
        wait_until(lambda: not is_within_limit(sharing.seen()))
        end()
