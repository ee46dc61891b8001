"""Celery on Valkey, as docs/workers.md has it: workers that are killed send every message once."""

import sys
from collections import Counter
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.docs.cookbook._recipes import WORKERS, write
from tests.support.deadly import DeadlyZiett
from tests.support.fleet import Children, Fleet, environment, received
from tests.support.valkey import StoreServer
from ziett_async import SystemClock
from ziett_async.emulator import Emulator

RECIPE = "Celery on Valkey"
NUMBERS = [f"+2449231{index:05}" for index in range(20)]
#: Without talking to each other, workers start sooner.
QUIET = ("--without-mingle", "--without-gossip", "--without-heartbeat")
WORKER = ("-m", "celery", "--app", "worker", "worker", "--concurrency", "2", *QUIET)
#: Seconds after which a task of a dead worker is delivered again.
VISIBILITY = 1

needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="which processes a worker has started, only Linux shows"
)


@pytest.fixture
def store(tmp_path: Path) -> Generator[StoreServer]:
    """Lend a broker of its own."""
    server = StoreServer(tmp_path).start()
    yield server
    server.kill()


class Queue:
    """The recipe, its broker, and the service that its workers send to."""

    def __init__(self, folder: Path, store: StoreServer) -> None:
        self._folder = folder
        self._store = store

    def fleet(self, base_url: str, machines: int, pool: str) -> Fleet:
        """Return so many workers, each on a machine of its own."""
        commands = [
            [sys.executable, *WORKER, "--pool", pool, "--hostname", f"machine{number}@%h"]
            for number in range(machines)
        ]
        broker = {"REDIS_URL": self._store.url, "VISIBILITY_TIMEOUT": str(VISIBILITY)}
        return Fleet(commands, self._folder, environment(base_url, **broker), pause=VISIBILITY)

    def add(self, *numbers: str) -> None:
        """Queue a message to each number."""
        celery: Any = import_module("celery")
        with celery.Celery(broker=self._store.url) as app:
            for number in numbers:
                app.send_task("worker.send_sms", (number, "A sua factura está pronta."))

    @property
    def is_empty(self) -> bool:
        """Whether no task waits, and none is in a worker's hands."""
        return not any(self._store.do("EXISTS", key) for key in ("celery", "unacked"))

    def run(self, fake: DeadlyZiett, machines: int) -> int:
        """Send to all numbers with workers that are killed; return how often they were."""
        self.add(*NUMBERS)
        with (
            Emulator(fake, latency=0.05) as emulator,
            self.fleet(emulator.base_url, machines, "threads") as fleet,
        ):
            fake.sender = fleet
            fleet.run_until(lambda: self.is_empty)
        return fleet.kills

    def run_children(self, fake: DeadlyZiett) -> int:
        """Send to all numbers with one worker, whose children are killed."""
        self.add(*NUMBERS)
        with (
            Emulator(fake, latency=0.05) as emulator,
            self.fleet(emulator.base_url, 1, "prefork") as fleet,
        ):
            fake.sender = children = Children(fleet)
            fleet.run_until(lambda: self.is_empty)
        return children.kills


@pytest.fixture
def queue(tmp_path: Path, store: StoreServer) -> Queue:
    """Lend the recipe, as it is printed."""
    write(RECIPE, tmp_path, page=WORKERS)
    return Queue(tmp_path, store)


def test_killed_twice_celery_sends_every_message_once(queue: Queue) -> None:
    """All workers at once, each with two messages that were accepted, of which it never hears."""
    fake = DeadlyZiett(3, 10, clock=SystemClock(), held=4)
    assert queue.run(fake, machines=2) == 2
    assert any(each.replayed for each in fake.requests)
    assert received(fake) == Counter(NUMBERS)
    assert {each.status for each in fake.requests} == {202}


@pytest.mark.naive("A Celery task without a key of its own", "two messages for one kill")
def test_without_its_key_celery_sends_twice(queue: Queue, tmp_path: Path) -> None:
    """The same kill finds out."""
    write(RECIPE, tmp_path, {", idempotency_key=key": ""}, WORKERS)
    fake = DeadlyZiett(3, clock=SystemClock(), held=2)
    assert queue.run(fake, machines=1) == 1
    assert (received(fake) - Counter(NUMBERS)).total() == 2


@needs_proc
def test_a_child_that_is_killed_loses_no_task(queue: Queue) -> None:
    """Its worker queues the task again at once."""
    fake = DeadlyZiett(3, 6, 9, clock=SystemClock(), held=2, accepts=False)
    assert queue.run_children(fake) == 3
    assert received(fake) == Counter(NUMBERS)


@needs_proc
@pytest.mark.naive(
    "A Celery task that is acknowledged when its process has died", "none for a kill"
)
@pytest.mark.parametrize("setting", ["acks_late", "reject_on_worker_lost"])
def test_without_a_setting_a_child_that_is_killed_loses_its_task(
    queue: Queue, tmp_path: Path, setting: str
) -> None:
    """The same kill finds out."""
    write(RECIPE, tmp_path, {f"    {setting}=True,\n": ""}, WORKERS)
    fake = DeadlyZiett(3, clock=SystemClock(), held=2, accepts=False)
    assert queue.run_children(fake) == 1
    assert (Counter(NUMBERS) - received(fake)).total() >= 2
