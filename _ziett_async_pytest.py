"""The pytest plugin: fixtures that import `ziett_async` only when a test uses them.

It lies beside the package and not in it, for two reasons. Importing anything from a package
imports its root, so every start of pytest would pay for the whole client, even if no selected
test needs it. And what is imported before coverage starts, as plugins are, is missing from the
report of `pytest --cov`.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from ziett_async import AsyncZiett, ManualClock
    from ziett_async.testing import FakeZiett

_REAL = "ziett.co"
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname"}


@pytest.fixture
def ziett_clock() -> ManualClock:
    """Return the clock of `fake_ziett`: it stands still until a test or a sleeper moves it."""
    from ziett_async import ManualClock

    return ManualClock()


@pytest.fixture
def fake_ziett(ziett_clock: ManualClock) -> FakeZiett:
    """Return a fresh Ziett in memory; if you override it, the other fixtures use yours."""
    from ziett_async.testing import FakeZiett

    return FakeZiett(clock=ziett_clock)


@pytest.fixture
def ziett(fake_ziett: FakeZiett) -> Generator[AsyncZiett]:
    """Yield a client of `fake_ziett`, without a network, for asyncio, trio or neither."""
    from ziett_async.testing._fixtures import client_of

    with client_of(fake_ziett) as client:
        yield client


@pytest.fixture
def ziett_emulator(fake_ziett: FakeZiett) -> Generator[str]:
    """Yield the base URL of `fake_ziett` behind real HTTP on loopback, from another thread."""
    from ziett_async.testing.emulator import Emulator

    with Emulator(fake_ziett) as emulator:
        yield emulator.base_url


@pytest.fixture
def no_real_ziett(request: pytest.FixtureRequest) -> Generator[None]:
    """Fail the test if anything in this process looks up the address of the real service."""
    guard, failed = _guard(), request.session.testsfailed
    guard.begin()
    yield
    reached = guard.end()
    # What the guard raised was caught, or it was raised in another thread.
    if reached and request.session.testsfailed == failed:
        pytest.fail(reached, pytrace=False)


class _Guard:
    """An audit hook, which sees every host name that Python looks up."""

    # Without this, neither debuggers nor coverage see into an audit hook.
    __cantrace__ = True

    def __init__(self) -> None:
        self._is_watching = False
        self._reached = ""

    def begin(self) -> None:
        self._is_watching, self._reached = True, ""

    def end(self) -> str:
        self._is_watching = False
        return self._reached

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._is_watching and event in _LOOK_UPS and (host := _real_host(arguments[0])):
            self._reached = (
                f"this test reaches the real Ziett: it looked up {host}. Give it the fixture"
                " `ziett`, or a client with base_url=ziett_emulator."
            )
            pytest.fail(self._reached)


@cache
def _guard() -> _Guard:
    """Return the guard; an audit hook cannot be removed again."""
    guard = _Guard()
    sys.addaudithook(guard)
    return guard


def _real_host(host: object) -> str:
    """Return the name if it is the real service's, as str or bytes in whatever case."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = name.lower().rstrip(".")
    return name if name == _REAL or name.endswith(f".{_REAL}") else ""
