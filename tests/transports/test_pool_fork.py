"""A transport that is carried over `fork()`: parent and child never share a connection."""

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from tests.support.fault_runs import open_files
from tests.support.forking import fork, forks_beside_threads, in_a_child, needs_fork, wait_for
from tests.transports._echo import echoes, echoing
from ziett_async import AsyncZiett
from ziett_async.emulator import Emulator
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import Owner, PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = [needs_fork, forks_beside_threads]

REMITTER = "019b4b56-e704-7c30-83a0-527df63c3e00"
ROUNDS = 10
#: What mixes answers up does so in one of a few rounds; so many in a row are out of the question.
UNTIL_IT_FAILS = 100
PARENT = os.getpid()
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])


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


async def meet_and_echo(transport: PooledTransport, url: str, end: socket.socket) -> None:
    """Send as soon as the other process is about to do so, too."""
    end.sendall(b".")
    end.recv(1)
    await echoes(transport, url)


def fork_while_the_loop_runs(kind: Callable[[], PooledTransport], backend: str, url: str) -> None:
    """Fork beside a thread with an event loop; the child has an event loop of its own."""
    transport = kind()
    parents, childs = socket.socketpair()
    with parents, start_blocking_portal(backend) as portal:
        portal.call(echoes, transport, url)
        with childs:
            child = fork(lambda: anyio.run(meet_and_echo, transport, url, childs, backend=backend))
        try:
            portal.call(meet_and_echo, transport, url, parents)
        finally:
            portal.call(transport.aclose)
            wait_for(child)


def fork_between_two_runs(kind: Callable[[], PooledTransport], url: str) -> None:
    """Fork while the event loop rests; parent and child go on with it."""
    transport = kind()
    parents, childs = socket.socketpair()
    with parents, asyncio.Runner() as runner:
        runner.run(echoes(transport, url))
        with childs:
            child = fork(lambda: runner.run(meet_and_echo(transport, url, childs)))
        try:
            runner.run(meet_and_echo(transport, url, parents))
        finally:
            runner.run(transport.aclose())
            wait_for(child)


def many_times(fork_once: Callable[[str], None], rounds: int = ROUNDS) -> None:
    """Fork again and again, over one server."""
    with echoing() as url:
        for _ in range(rounds):
            fork_once(url)


@pytest.mark.fault("The process forks with open connections", send="parent and child: own answers")
@KINDS
@BACKENDS
def test_parent_and_child_get_their_own_answers(
    kind: Callable[[], PooledTransport], backend: str
) -> None:
    """Both send at the same time on a transport with open connections; no answer is lost."""
    many_times(partial(fork_while_the_loop_runs, kind, backend))


@pytest.mark.fault("The process forks with open connections", send="parent and child: own answers")
@KINDS
def test_a_child_that_goes_on_with_the_event_loop_gets_its_own_answers(
    kind: Callable[[], PooledTransport],
) -> None:
    """The loop is the same object in parent and child; the process is not."""
    many_times(partial(fork_between_two_runs, kind))


@pytest.mark.fault(
    "The process forks with open connections", read="the parent's connections live on"
)
@pytest.mark.parametrize("kind", [HttpxTransport, AiohttpTransport])
@BACKENDS
def test_a_child_closes_its_copies_of_the_sockets_and_the_parent_keeps_its_own(
    kind: Callable[[], PooledTransport], backend: str
) -> None:
    """The child's first request closes them there; the parent's next one is sent on them."""
    before, transport = open_files(), kind()
    with echoing() as url, start_blocking_portal(backend) as portal:
        others = open_files()
        portal.call(echoes, transport, url)
        shared = open_files() - others

        def use() -> None:
            anyio.run(echoes, transport, url, backend=backend)
            assert not open_files() & shared

        in_a_child(use)
        portal.call(echoes, transport, url)
        assert open_files() - others == shared
        portal.call(transport.aclose)
    assert len(shared) == 5
    assert open_files() <= before


@pytest.mark.naive("One pool of connections for parent and child", "answers of the other process")
@BACKENDS
def test_one_pool_for_all_processes_mixes_answers_up(backend: str) -> None:
    """The naive transport fails the same test."""
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        many_times(partial(fork_while_the_loop_runs, OnePool, backend), UNTIL_IT_FAILS)


@pytest.mark.naive("One pool of connections for parent and child", "answers of the other process")
def test_one_pool_for_each_loop_mixes_answers_up() -> None:
    """To know the event loop is not enough: the child has the same one."""
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        many_times(partial(fork_between_two_runs, OnePoolForEachLoop), UNTIL_IT_FAILS)


def test_a_client_is_carried_over_fork() -> None:
    """Parent and child send with one client, limiter and keys included; each has its own ids."""
    service = FakeZiett(clock=AdjustableClock(), limits={})
    with Emulator(service) as emulator:
        client = AsyncZiett("zk_test_x", base_url=emulator.base_url, default_remitter_id=REMITTER)

        async def send(content: str) -> None:
            accepted = await client.send_message("+244923456789", content=content)
            message = await client.get_message(accepted.message_id)
            assert message.content == content

        async def burst(sender: str) -> None:
            async with anyio.create_task_group() as tasks:
                for number in range(10):
                    tasks.start_soon(send, f"{sender} {number}")

        def run_burst(sender: str) -> None:
            asyncio.run(burst(sender))

        with asyncio.Runner() as runner:
            runner.run(burst("before"))
            for number in range(3):
                child = fork(partial(run_burst, f"child {number}"))
                try:
                    runner.run(burst(f"parent {number}"))
                finally:
                    wait_for(child)
            runner.run(client.aclose())
    assert len(service.messages) == 70
