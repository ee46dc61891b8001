"""Runs of real processes that are killed, judged by what the service has in the end."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.killed_runs import Life, Processes, Task
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeZiett

KILLED = -signal.SIGKILL
#: Messages of a run, and how many are sent at the same time.
COUNT = 10


class Trial:
    """A service, and runs against it; each has numbers and a journal of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fake = FakeZiett(limits={})
        self.base_url = ""
        self.tasks: list[Task] = []
        self.kills = 0
        self.processes: Processes

    def task(self, count: int = COUNT, concurrency: int = 3, *, as_stream: bool = False) -> Task:
        """Return a new run."""
        index = len(self.tasks)
        numbers = [f"+24492{index:03}{row:04}" for row in range(count)]
        path = self._folder / f"{index}.db"
        task = Task(self.base_url, path, numbers, concurrency, as_stream)
        self.tasks.append(task)
        return task

    def is_killed(self, life: Life) -> bool:
        """Run a process, and count a kill."""
        code = self.processes.live(life)
        assert code in {0, KILLED}
        self.kills += code == KILLED
        return code == KILLED

    @property
    def received(self) -> Counter[str]:
        """How many messages each number has got."""
        return Counter(message.target_e164 for message in self.fake.messages)

    @property
    def wanted(self) -> Counter[str]:
        """How many each should have got, when all runs are finished."""
        return self.wanted_of(len(self.tasks))

    def wanted_of(self, finished: int) -> Counter[str]:
        """How many each should have got of so many runs, the first ones."""
        return Counter(number for task in self.tasks[:finished] for number in task.numbers)


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Lend a service."""
    trial = Trial(tmp_path)
    with Emulator(trial.fake) as emulator:
        trial.base_url = emulator.base_url
        with Processes(trial.task()) as trial.processes:
            yield trial


def kills(trial: Trial, design: str, *, as_stream: bool = False) -> Iterator[None]:
    """Kill a run at its first event, another one at its second, until one is not killed.

    Each is killed a second time where it goes on, at an event that is drawn, and then finished.
    """
    random = Random(7)  # noqa: S311 - repeatable is what it has to be
    finish, at = None, 1
    while True:
        begin = trial.task(as_stream=as_stream)
        if not trial.is_killed(Life(design, finish, begin, at)):
            return
        yield
        trial.is_killed(Life(design, None, begin, random.randint(1, 20)))
        finish, at = begin, at + 1


@pytest.mark.promise("A run killed at any moment and started again sends every message once")
@pytest.mark.parametrize("as_stream", [False, True], ids=["list", "stream"])
def test_killed_at_every_event_every_message_is_sent_once(trial: Trial, *, as_stream: bool) -> None:
    """Before and after each call of the journal and each attempt; started again, it is done."""
    assert len([*kills(trial, "ours", as_stream=as_stream)]) > 4 * COUNT
    assert trial.received == trial.wanted


@pytest.mark.promise("A run killed at any moment and started again sends every message once")
def test_killed_again_and_again_every_message_is_sent_once(trial: Trial) -> None:
    """One run, killed ever later at random moments, until it has come to its end."""
    random = Random(7)  # noqa: S311 - repeatable is what it has to be
    for _ in range(8):
        task, longest = trial.task(), 0.01
        while trial.is_killed(Life("ours", None, task, after=random.uniform(1e-6, longest))):
            longest *= 1.2
    assert trial.kills > 4 * 8
    assert trial.received == trial.wanted


@pytest.mark.promise("A run killed at any moment and started again sends every message once")
def test_a_long_list_killed_twenty_times_is_sent_once(trial: Trial) -> None:
    """500 messages, 50 at the same time; each start gets a little further."""
    task = trial.task(500, 20, as_stream=True)
    # Each attempt is two events, and each commit, of some messages, two more.
    while trial.is_killed(Life("ours", None, task, at=75)):
        pass
    assert trial.kills >= 20
    assert trial.received == trial.wanted


@pytest.mark.naive("A fresh key in each run of a list", "two messages for one kill")
def test_a_fresh_key_per_run_sends_twice(trial: Trial) -> None:
    """The same kills find a message that was accepted and not marked yet."""
    assert any(trial.received - trial.wanted for _ in kills(trial, "fresh"))


@pytest.mark.naive("A message marked as done before it is sent", "none for one kill")
def test_marked_first_loses_messages(trial: Trial) -> None:
    """The same kills find a message that was marked and not sent."""
    assert any(
        trial.wanted_of(finished) - trial.received
        for finished, _ in enumerate(kills(trial, "marked"), 1)
    )
