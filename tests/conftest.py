"""What every test may ask for."""

import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests._ways import WAYS, Service, Way
from tests.page._chromium import MISSING
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
    del os.environ[_name]

FAULTS = Path(__file__).parent / "faults"

#: Makes a service around a fake; by default one of its own.
Serve = Callable[..., Service]


def case_of(item: pytest.Item) -> dict[str, Any]:
    """Return the parameters of a test."""
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return params


@pytest.hookimpl(tryfirst=True)  # before xdist, which reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Test faults on a socket one after another, and those of httpx2 on one event loop."""
    needless: list[pytest.Item] = []
    for item in items:
        if FAULTS not in item.path.parents or case_of(item).get("way") == "memory":
            continue
        # Their waits are measured: side by side they disturb each other.
        item.add_marker(pytest.mark.xdist_group("faults on a socket"))
        # Above the transport nothing depends on the library, and httpx is tested on both.
        if case_of(item).get("way") == "httpx2" and case_of(item)["anyio_backend"] == "trio":
            needless.append(item)
    config.hook.pytest_deselected(items=needless)
    items[:] = [item for item in items if item not in needless]


def pytest_timeout_set_timer(item: pytest.Item) -> None:
    """Name the test: when it hangs, pytest-timeout prints each thread's stack under its name."""
    threading.main_thread().name = item.nodeid


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of the run what was not tested, and what to install for it."""
    skipped = terminalreporter.getreports("skipped")
    if count := sum(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.section("The inbox was not tested")
        terminalreporter.line(f"{count} tests were skipped, {MISSING}")


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
