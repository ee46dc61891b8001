"""A child that was forked begins anew, whatever its parent was doing."""

import os
import subprocess
import sys
from typing import Any

import anyio
import pytest

from tests.limits._clocks import BoundedClock
from ziett_async._operation import Bucket
from ziett_async.limits import Rate, TokenBucketLimiter, _shared, shared_limiter
from ziett_async.limits._local import reset_after_fork
from ziett_async.limits._shared import reset_after_fork as share_anew

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

#: What a child does, within a second of CPU: it ends with 0 if it may make every attempt.
CHILD = """
import asyncio, os, signal, sys, threading, warnings
from ziett_async import Bucket, Rate, SystemClock, TokenBucketLimiter
from ziett_async.limits import shared_limiter

warnings.simplefilter("ignore", DeprecationWarning)  # of forks while threads run

async def use(limiter, count):
    permits = [await limiter.acquire(Bucket.SEND, timeout=0) for _ in range(count)]
    for permit in permits:
        await permit.release()

def fork(limiter, count=2):
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            asyncio.run(use(limiter, count))
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child ended with {status}"
"""

WHILE_CALLS_WAIT = """
limiter = TokenBucketLimiter(send=Rate(2, per=3600.0))

async def main():
    await use(limiter, 2)
    waiting = asyncio.create_task(limiter.acquire(Bucket.SEND))
    await asyncio.sleep(0)
    fork(limiter)
    assert not waiting.done()
    waiting.cancel()

asyncio.run(main())
"""

WHILE_THE_LOCK_IS_HELD = """
limiter = TokenBucketLimiter(send=Rate(2, per=3600.0))
held, done = threading.Event(), threading.Event()

def hold():
    with limiter._queues[Bucket.SEND].lock:
        held.set()
        done.wait()

threading.Thread(target=hold).start()
held.wait()
try:
    fork(limiter)
finally:
    done.set()
"""

WHILE_THREADS_ARE_BUSY = """
limiter = TokenBucketLimiter(send=Rate(50, per=0.001))
stop = threading.Event()

async def spin():
    while not stop.is_set():
        permit = await limiter.acquire(Bucket.SEND)
        await permit.release()

for _ in range(2):
    threading.Thread(target=lambda: asyncio.run(spin())).start()
try:
    for _ in range(150):
        fork(limiter)
finally:
    stop.set()
"""

WITH_A_PERMIT = """
limiter = TokenBucketLimiter(send=Rate(2, per=3600.0))
permit = asyncio.run(limiter.acquire(Bucket.SEND))

async def use(limiter, count):
    await permit.release()  # it is the parent's, and changes nothing here
    permits = [await limiter.acquire(Bucket.SEND, timeout=0) for _ in range(count)]

fork(limiter)
"""

OF_ONE_KEY = """
from ziett_async.limits import _shared
limiter = shared_limiter("key", "url", SystemClock())
asyncio.run(use(limiter, 120))
_shared._registry.lock.acquire()

async def use(limiter, count):
    assert shared_limiter("key", "url", SystemClock()) is limiter
    for _ in range(count):
        await limiter.acquire(Bucket.SEND, timeout=0)

fork(limiter, 120)
"""


@pytest.mark.promise("A child forked while calls wait begins anew")
@pytest.mark.parametrize(
    "parent",
    [WHILE_CALLS_WAIT, WHILE_THE_LOCK_IS_HELD, WHILE_THREADS_ARE_BUSY, WITH_A_PERMIT, OF_ONE_KEY],
    ids=["calls wait", "the lock is held", "threads are busy", "with a permit", "of one key"],
)
def test_a_forked_child_begins_anew(parent: str) -> None:
    """It hangs on no lock and behind no call of its parent, and has every token of its own."""
    subprocess.run([sys.executable, "-c", CHILD + parent], check=True, timeout=120)  # noqa: S603 - our own


def test_what_a_child_does_first() -> None:
    """It leaves calls and locks to the parent, and takes new tokens with the same rates."""

    async def wait() -> None:
        clock = BoundedClock(autojump=False)
        limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock)
        permit = await limiter.acquire(Bucket.SEND)
        inside: Any = limiter
        old = inside._queues[Bucket.SEND]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(limiter.acquire, Bucket.SEND)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            lock = old.lock
            reset_after_fork()
            assert (old.loops, old.lock is lock) == ({}, False)
            await limiter.acquire(Bucket.SEND, timeout=0)
            await permit.release()
            with pytest.raises(TimeoutError):
                await limiter.acquire(Bucket.SEND, timeout=0)
            tasks.cancel_scope.cancel()

    anyio.run(wait)


def test_what_a_child_shares() -> None:
    """The lock is another one, and the limiters of one key are still one."""
    clock, inside = BoundedClock(), vars(_shared)["_registry"]
    lock = inside.lock
    limiter = shared_limiter("zk_test_x", "", clock)
    share_anew()
    assert inside.lock is not lock
    assert shared_limiter("zk_test_x", "", clock) is limiter
