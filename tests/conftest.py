"""What every test may ask for."""

import gc
import os
import threading
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import chromium, faketime, nginx, postgres, valkey
from tests.support.services import WAYS, Service, Way
from ziett_async import AsyncZiett, ManualClock
from ziett_async.testing import Dialect, FakeZiett
from ziett_async.testing.emulator import Emulator

# A busy machine is no defect, so no example has a deadline.
settings.register_profile("thorough", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=15)
# Run hundreds of times, mostly to fail: the same few examples each time, and none made smaller.
settings.register_profile(
    "mutation",
    deadline=None,
    max_examples=15,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("thorough")

# What the developer's shell sets is no part of a test, or of a program that a test starts.
for _name in [each for each in os.environ if each.startswith("ZIETT_")]:
    if _name != valkey.VARIABLE:  # it names a server to test with
        del os.environ[_name]

FAULTS = Path(__file__).parent / "faults"

#: What is not tested where a program is missing, by what its tests say then.
NOT_TESTED = {
    chromium.MISSING: "The inbox was not tested",
    nginx.MISSING: "No real proxy was tested",
    valkey.MISSING: "The limit shared by processes was not tested",
    postgres.MISSING: "No limit in a PostgreSQL database was tested",
    faketime.MISSING: "No clock of a process or a store was set",
}

#: Makes a service around a fake; by default one of its own.
Serve = Callable[..., Service]


def is_needless(item: pytest.Item) -> bool:
    """Return whether a test is one of aiohttp on trio, or of a fault of httpx2 on trio."""
    case: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    if "trio" not in case.values():
        return False
    names = {
        getattr(each, "__name__", each)
        for each in case.values()
        if callable(each) or isinstance(each, str)
    }
    return bool(names & {"aiohttp", "AiohttpTransport"}) or (
        "httpx2" in names and FAULTS in item.path.parents
    )


def share_of(nodeids: list[str], share: int, of: int) -> set[str]:
    """Return the part of one of several runs: every test, with this run's share of its cases.

    By their names and not in turn: every third case may be a case of the same transport.
    """
    taken: set[str] = set()
    for _, each in groupby(sorted(nodeids), key=lambda nodeid: nodeid.partition("[")[0]):
        cases = sorted(each, key=lambda nodeid: crc32(nodeid.encode()))
        taken |= set(cases[share - 1 :: of] or [cases[share % len(cases)]])
    return taken


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let several runs share the cases of every test."""
    parser.addoption("--share", default="1/1", metavar="K/N", help="run the K-th of N shares")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Test aiohttp on asyncio, the only event loop it knows; and run only this run's share.

    And faults of httpx2 on one loop: httpx, which is used alike, is tested on both.
    """
    needed = [item.nodeid for item in items if not is_needless(item)]
    share, of = map(int, str(config.getoption("share")).split("/"))
    taken = share_of(needed, share, of)
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in taken])
    items[:] = [item for item in items if item.nodeid in taken]


@given(st.none())
def _draw(_: None) -> None:
    """Have Hypothesis make its generator of random numbers."""


def pytest_collection_finish() -> None:
    """Hide modules and tests from the garbage collector: tests that call it wait for less."""
    # Hypothesis looks for what refers to its generator, and on Python 3.14 warns if that is hidden.
    _draw()
    gc.collect()
    gc.freeze()


def scope_of(nodeid: str) -> str:
    """Return what has to be tested in one worker: faults on a socket, whose waits are measured."""
    is_waited_out = nodeid.startswith("tests/faults/") and "memory" not in nodeid
    return "faults on a socket" if is_waited_out else nodeid


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share tests out among the workers of a parallel run, as `xdist_group` is meant to do.

    The marks of xdist 3.8 are without effect in pytest 9.2.
    """
    scheduler: Any = import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = scope_of
    return scheduler


def pytest_timeout_set_timer(item: pytest.Item) -> None:
    """Name the test: when it hangs, pytest-timeout prints each thread's stack under its name."""
    threading.main_thread().name = item.nodeid


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of the run what was not tested, and what to install for it."""
    skipped = terminalreporter.getreports("skipped")
    for missing, title in NOT_TESTED.items():
        if count := sum(missing in str(report.longrepr) for report in skipped):
            terminalreporter.section(title)
            terminalreporter.line(f"{count} tests were skipped, {missing}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Forget the sockets that a failed test has left open, so that its failure is all there is.

    Found later they are an error in pytest itself, which mutmut takes for tests that did not run.
    """
    if exitstatus:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run a test that is marked `anyio` on each event loop."""
    return str(request.param)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Run a test over memory and over a socket."""
    found: Way = request.param
    return found


@pytest.fixture
def serve(way: Way) -> Generator[Serve]:
    """Serve a fake: `serve(dialect=Dialect(name="reference"))`, `serve(balance=0)`."""
    with ExitStack() as stack:

        def serving(dialect: Dialect | None = None, **settings: Any) -> Service:  # noqa: ANN401 - FakeZiett's
            clock = ManualClock()
            fake = FakeZiett(clock=clock, dialect=dialect or Dialect(), **settings)
            if way == "memory":
                return Service(fake, clock)
            return Service(fake, clock, stack.enter_context(Emulator(fake)).base_url)

        yield serving


@pytest.fixture
def service(serve: Serve) -> Service:
    """Serve a fake as the API's current pages describe it."""
    return serve()


@pytest.fixture
async def client(service: Service) -> AsyncGenerator[AsyncZiett]:
    """Lend a client of `service`."""
    async with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def postgres_url() -> Generator[str]:
    """Lend a server of PostgreSQL that several tests use, each under names of its own."""
    server = postgres.PostgresServer()
    try:
        yield server.start().url
    finally:
        server.remove()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Put the machine five and a half hours east of Greenwich."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system's zone is not the process's")
    monkeypatch.setenv("TZ", "XXX-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
