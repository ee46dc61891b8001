"""Clients with one key share one limiter, and the key is not kept."""

import gc
import os
import subprocess
import sys
import threading
from weakref import ref

import pytest

from ziett_async._clock import ManualClock, SystemClock
from ziett_async.limits import TokenBucketLimiter, shared_limiter

KEY, URL = "zk_test_secret", "https://api.ziett.example"


def test_one_key_and_address_share_one_limiter() -> None:
    """The same key, address and clock give the same limiter, and all real clocks are one."""
    clock = ManualClock()
    assert shared_limiter(KEY, URL, clock) is shared_limiter(KEY, URL, clock)
    assert shared_limiter(KEY, URL, SystemClock()) is shared_limiter(KEY, URL, SystemClock())


def test_another_key_address_or_clock_has_its_own() -> None:
    """What the server counts apart is counted apart here, as is what different tests do."""
    clock = ManualClock()
    asked = [(KEY, URL, clock), (KEY + "2", URL, clock), (KEY, URL + "/v2", clock)]
    asked.append((KEY, URL, ManualClock()))
    assert len({id(shared_limiter(*arguments)) for arguments in asked}) == 4


def test_it_lives_as_long_as_somebody_uses_it() -> None:
    """A limiter in use stays the shared one; an unused one goes after 64 others."""
    clocks = [ManualClock() for _ in range(66)]
    used, unused = shared_limiter(KEY, URL, clocks[0]), ref(shared_limiter(KEY, URL, clocks[1]))
    for clock in clocks[2:65]:
        shared_limiter(KEY, URL, clock)
    assert unused() is shared_limiter(KEY, URL, clocks[1])
    for clock in clocks[2:]:
        shared_limiter(KEY, URL, clock)
    gc.collect()
    assert unused() is None
    assert used is shared_limiter(KEY, URL, clocks[0])


def test_threads_get_the_same_one() -> None:
    """Threads that ask at the same time get the same limiter."""
    clock, barrier, got = ManualClock(), threading.Barrier(8), list[TokenBucketLimiter]()

    def ask() -> None:
        barrier.wait(timeout=60)
        got.append(shared_limiter(KEY, URL, clock))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1


class Key(str):
    """A key of which one can tell whether somebody still holds it."""

    __slots__ = ("__weakref__",)


def test_the_key_is_not_kept() -> None:
    """Once its client is gone, nothing holds the key, though its limiter is still there."""
    key, clock = Key(KEY), ManualClock()
    limiter, kept = shared_limiter(key, URL, clock), ref(key)
    del key
    gc.collect()
    assert kept() is None
    assert shared_limiter(KEY, URL, clock) is limiter


FORK = """
import os
from ziett_async._clock import SystemClock
from ziett_async.limits import _shared, shared_limiter

parent = shared_limiter("key", "url", SystemClock())
_shared._registry.lock.acquire()
if child := os.fork():
    _, status = os.waitpid(child, 0)
    raise SystemExit(os.waitstatus_to_exitcode(status))
assert shared_limiter("key", "url", SystemClock()) is parent
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_starts_anew() -> None:
    """A child shares no limiter with its parent, and no lock that was held at the fork."""
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)  # noqa: S603 - our own
