"""Clients with one key share one limiter, and the key is not kept."""

import gc
import threading
from typing import Any
from weakref import ref

import anyio
import pytest

from ziett_async import AsyncZiett
from ziett_async._clock import ManualClock, SystemClock
from ziett_async.limits import TokenBucketLimiter, shared_limiter
from ziett_async.testing import FakeTransport

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


def test_it_lives_as_long_as_it_is_used() -> None:
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
    """A key of which one can tell whether anything still holds it."""

    __slots__ = ("__weakref__",)


def test_the_key_is_not_kept() -> None:
    """Once its client is gone, nothing holds the key, though its limiter is still there."""
    key, clock = Key(KEY), ManualClock()
    limiter, kept = shared_limiter(key, URL, clock), ref(key)
    del key
    gc.collect()
    assert kept() is None
    assert shared_limiter(KEY, URL, clock) is limiter


@pytest.mark.parametrize(
    "address",
    [
        "https://api.ziett.example/c/v1/",
        "https://API.Ziett.example/c/v1",
        "HTTPS://api.ziett.example/c/v1",
        "https://api.ziett.example:443/c/v1",
        "https://api.ziett.example./c/v1",
        "https://API.ziett.example.:443/c/v1//",
    ],
)
def test_spellings_of_one_address_share_one_limiter(address: str) -> None:
    """Case, default port, a trailing dot and trailing slashes make no other service."""
    clock = ManualClock()
    limiter = shared_limiter(KEY, "https://api.ziett.example/c/v1", clock)
    assert shared_limiter(KEY, address, clock) is limiter
    client: Any = AsyncZiett(KEY, base_url=address, transport=FakeTransport(), clock=clock)
    assert client._session.pipeline.limiter is limiter
    anyio.run(client.aclose)


def test_http_has_its_own_default_port() -> None:
    """Port 80 is that of http, and 443 is not."""
    clock = ManualClock()
    limiter = shared_limiter(KEY, "http://localhost/c/v1", clock)
    assert shared_limiter(KEY, "http://localhost:80/c/v1", clock) is limiter
    assert shared_limiter(KEY, "http://localhost:443/c/v1", clock) is not limiter


@pytest.mark.parametrize(
    "address",
    [
        "https://api.ziett.example:8443/c/v1",
        "http://api.ziett.example/c/v1",
        "https://api.ziett.example/C/v1",
        "https://api2.ziett.example/c/v1",
    ],
)
def test_another_service_has_its_own(address: str) -> None:
    """A path is exact, and scheme, host and port are part of an address."""
    clock = ManualClock()
    limiter = shared_limiter(KEY, "https://api.ziett.example/c/v1", clock)
    assert shared_limiter(KEY, address, clock) is not limiter
