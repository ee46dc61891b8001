"""Temporal, as docs/workers.md has it: workers that are killed send every message once.

It needs a server of 156 MB, so it has a session of its own: `python -m nox -s temporal`.
"""

import sys
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from subprocess import DEVNULL, Popen
from time import monotonic, sleep

import pytest

from tests.docs.cookbook._recipes import WORKERS, write
from tests.support.deadly import DeadlyZiett
from tests.support.fleet import Fleet, environment, received
from tests.support.valkey import HOST, free_port
from ziett_async import SystemClock
from ziett_async.emulator import Emulator

RECIPE = "Temporal"
NUMBERS = [f"+2449231{index:05}" for index in range(40)]
#: Beside the interpreter, where its package puts it.
SERVER = Path(sys.executable).with_name("temporal")
#: An attempt of a worker that was killed is given up after 2 seconds instead of 30.
HASTY = {"seconds=30": "seconds=2", "timeout=20": "timeout=1"}
#: Starts a workflow for each number and waits for all; a step of theirs may take a second.
START = """
import asyncio, os, sys
from datetime import timedelta
from temporalio.client import Client
from notify import Notify

async def main():
    server = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    text, second = "A sua factura está pronta.", timedelta(seconds=1)
    await asyncio.gather(*(
        server.execute_workflow(
            Notify.run, args=[number, text], id=number, task_queue="sms", task_timeout=second
        )
        for number in sys.argv[1:]
    ))

asyncio.run(main())
os._exit(0)  # threads of its own, which are still there, can crash the end of Python
"""

# A dead worker is still asked for 10 seconds after each kill.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def address(tmp_path: Path) -> Generator[str]:
    """Lend a server of its own, which keeps nothing."""
    port = free_port()
    command = [str(SERVER), "server", "start-dev", "--headless", "--ip", HOST]
    ports = ["--port", str(port), "--http-port", str(free_port()), "--log-level", "error"]
    with (
        (tmp_path / "server.log").open("wb") as log,
        Popen([*command, *ports], stdin=DEVNULL, stdout=log, stderr=log) as server,  # noqa: S603 - a server
    ):
        try:
            wait_for(port)
            yield f"{HOST}:{port}"
        finally:
            server.kill()


def wait_for(port: int) -> None:
    """Return when something listens."""
    end = monotonic() + 30
    while monotonic() < end:
        with suppress(OSError), create_connection((HOST, port), timeout=1):
            return
        sleep(0.05)
    pytest.fail("the server of Temporal does not listen")


class Workflows:
    """The recipe, and the server that its workers ask for work."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address

    def run(self, fake: DeadlyZiett) -> int:
        """Run a workflow for each number with workers that are killed; return how often."""
        with Emulator(fake, latency=0.05) as emulator:
            settings = environment(emulator.base_url, TEMPORAL_ADDRESS=self._address)
            start = [sys.executable, "-c", START, *NUMBERS]
            with (
                Fleet([[sys.executable, "notify.py"]] * 2, self._folder, settings) as fleet,
                Popen(start, cwd=self._folder, env=settings) as starter,  # noqa: S603 - our words
            ):
                fake.sender = fleet
                try:
                    fleet.run_until(lambda: starter.poll() is not None, 200)
                finally:
                    starter.kill()
        assert starter.returncode == 0
        return fleet.kills


@pytest.fixture
def workflows(tmp_path: Path, address: str) -> Workflows:
    """Lend the recipe, as it is printed but for its timeouts."""
    write(RECIPE, tmp_path, HASTY, WORKERS)
    return Workflows(tmp_path, address)


def test_killed_three_times_temporal_sends_every_message_once(workflows: Workflows) -> None:
    """All workers at once, each time when a message was accepted of which none will hear."""
    fake = DeadlyZiett(5, 15, 25, clock=SystemClock())
    assert workflows.run(fake) == 3
    assert received(fake) == Counter(NUMBERS)


@pytest.mark.naive("An activity of Temporal without a key of its own", "two messages for one kill")
def test_without_its_key_an_activity_sends_twice(workflows: Workflows, tmp_path: Path) -> None:
    """The same kill finds out."""
    write(RECIPE, tmp_path, {**HASTY, ", idempotency_key=key": ""}, WORKERS)
    fake = DeadlyZiett(5, clock=SystemClock())
    assert workflows.run(fake) == 1
    assert received(fake) - Counter(NUMBERS)
