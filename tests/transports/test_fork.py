"""A transport that is carried over `fork()`: parent and child never share a connection."""

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from tests.faults._world import open_files
from tests.transports._echo import echoes, echoing
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import Owner, PooledTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()"),
    # Python 3.12 and later warn of a fork with threads, which is what is tested here.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

ROUNDS = 10
#: Until a naive transport fails, which on a busy machine takes more of them.
AT_LAST = 100
PARENT = os.getpid()
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport])


class OnePool(HttpxTransport):
    """The naive transport: one pool, whatever process and event loop it is used in."""

    _first: Owner | None = None

    def _owner(self) -> Owner:
        self._first = self._first or super()._owner()
        return self._first


class OnePoolForEachLoop(HttpxTransport):
    """The other naive transport: it knows event loops, but not processes."""

    def _owner(self) -> Owner:
        return PARENT, super()._owner()[1]


def fork(run: Callable[[], object]) -> int:
    """Start a child that runs this, for 20 seconds at most, and return its process id."""
    if child := os.fork():
        return child
    status = 1
    try:
        signal.alarm(20)
        run()
        status = 0
    finally:
        os._exit(status)


def wait_for(child: int) -> None:
    """Wait for a child, and check that its run ended well."""
    _, status = os.waitpid(child, 0)
    assert status == 0, "a caller in the child did not get its own answer"


def fork_while_the_loop_runs(kind: Callable[[], PooledTransport], backend: str, url: str) -> None:
    """Fork beside a thread with an event loop; the child has an event loop of its own."""
    transport = kind()
    with start_blocking_portal(backend) as portal:
        portal.call(echoes, transport, url)
        child = fork(lambda: anyio.run(echoes, transport, url, backend=backend))
        try:
            portal.call(echoes, transport, url)
        finally:
            portal.call(transport.aclose)
            wait_for(child)


def fork_between_two_runs(kind: Callable[[], PooledTransport], url: str) -> None:
    """Fork while the event loop rests; parent and child go on with it."""
    transport = kind()
    with asyncio.Runner() as runner:
        runner.run(echoes(transport, url))
        child = fork(lambda: runner.run(echoes(transport, url)))
        try:
            runner.run(echoes(transport, url))
        finally:
            runner.run(transport.aclose())
            wait_for(child)


def many_times(fork_once: Callable[[str], None], rounds: int = ROUNDS) -> None:
    """Fork again and again, over one server."""
    with echoing() as url:
        for _ in range(rounds):
            fork_once(url)


@KINDS
@BACKENDS
def test_parent_and_child_get_their_own_answers(
    kind: Callable[[], PooledTransport], backend: str
) -> None:
    """Both send at the same time on a transport with open connections; no answer is lost."""
    many_times(partial(fork_while_the_loop_runs, kind, backend))


@KINDS
def test_a_child_that_goes_on_with_the_event_loop_gets_its_own_answers(
    kind: Callable[[], PooledTransport],
) -> None:
    """The loop is the same object in parent and child; the process is not."""
    many_times(partial(fork_between_two_runs, kind))


@BACKENDS
def test_a_child_closes_its_copies_of_the_sockets_and_the_parent_keeps_its_own(
    backend: str,
) -> None:
    """The child's first request closes them there; the parent's next one is sent on them."""
    before, transport = open_files(), HttpxTransport()
    with echoing() as url, start_blocking_portal(backend) as portal:
        others = open_files()
        portal.call(echoes, transport, url)
        shared = open_files() - others

        def use() -> None:
            anyio.run(echoes, transport, url, backend=backend)
            assert not open_files() & shared

        wait_for(fork(use))
        portal.call(echoes, transport, url)
        assert open_files() - others == shared
        portal.call(transport.aclose)
    assert len(shared) == 5
    assert open_files() <= before


@BACKENDS
def test_one_pool_for_all_processes_mixes_answers_up(backend: str) -> None:
    """The naive transport fails the same test."""
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        many_times(partial(fork_while_the_loop_runs, OnePool, backend), AT_LAST)


def test_one_pool_for_each_loop_mixes_answers_up() -> None:
    """To know the event loop is not enough: the child has the same one."""
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        many_times(partial(fork_between_two_runs, OnePoolForEachLoop), AT_LAST)
