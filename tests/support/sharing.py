"""Many processes that send through one key, and what the emulator saw of them."""

import json
import subprocess
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from subprocess import Popen

import attrs

from tests.support import faketime
from ziett_async import SystemClock
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeZiett, Quota

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Seen:
    """What the emulator saw."""

    limit: int
    per: float
    #: Seconds, in order.
    arrivals: Sequence[float]
    refused: int
    #: The messages' texts: place of the process, row, and number in the row.
    texts: Sequence[str]

    @property
    def worst(self) -> int:
        """How many arrivals the fullest window has."""
        ends = (bisect_left(self.arrivals, start + self.per) for start in self.arrivals)
        return max((end - start for start, end in enumerate(ends)), default=0)

    @property
    def used(self) -> float:
        """What part of the limit was used, in whole windows after the first one."""
        start = self.arrivals[0] + self.per
        windows = int((self.arrivals[-1] - start) / self.per)
        first, last = (bisect_left(self.arrivals, start + n * self.per) for n in (0, windows))
        return (last - first) / (self.limit * windows)

    @property
    def shares(self) -> list[float]:
        """What part of an equal share each place in the row of processes got."""
        counted = Counter(text.partition(":")[0] for text in self.texts)
        return sorted(number * len(counted) / len(self.texts) for number in counted.values())

    @property
    def twice(self) -> int:
        """How many messages were sent more than once."""
        return len(self.texts) - len(set(self.texts))

    @property
    def lost(self) -> int:
        """How many messages are not there, though a later one of their row is."""
        last = Counter[str]()
        for row, _, number in (text.rpartition(":") for text in set(self.texts)):
            last[row] = max(last[row], int(number) + 1)
        return last.total() - len(set(self.texts))


@attrs.define
class Sharing:
    """An emulator with a limit, and the processes that share it."""

    limit: int
    per: float
    store_url: str
    #: Whether the emulator answers 429 beyond the limit.
    is_enforced: bool = True
    latency: float = 0.005
    fake: FakeZiett = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        limits = {"send": Quota(self.limit, per=self.per)}
        self.fake = FakeZiett(
            clock=SystemClock(), limits=limits if self.is_enforced else {}, delivery=None
        )

    @contextmanager
    def run(
        self,
        seconds: float,
        *,
        processes: int = 8,
        ahead: Sequence[float] = (0.0,),
        **settings: object,
    ) -> Generator[Callable[[], None]]:
        """Run the processes; leave when they are done, or the function that is lent was called.

        `ahead` sets the clocks of their groups.
        """
        with ExitStack() as stack:
            emulator = stack.enter_context(Emulator(self.fake, latency=self.latency))
            given = {
                "base_url": emulator.base_url,
                "store_url": self.store_url,
                "seconds": seconds,
                "limit": self.limit,
                "per": self.per,
                "limiter": "shared",
                "ways": ["asyncio-redis", "trio-coredis"],
                **settings,
            }
            groups = {by: list(range(processes))[at :: len(ahead)] for at, by in enumerate(ahead)}
            drivers = [
                stack.enter_context(_driver({**given, "places": places}, by))
                for by, places in groups.items()
            ]
            for each in drivers:
                assert each.stdin
                each.stdin.write("go\n")
                each.stdin.flush()
            yield partial(_end, drivers)
            for each in drivers:
                assert each.wait(timeout=seconds + 30) == 0

    def seen(self) -> Seen:
        """Return what the emulator saw."""
        requests = [each for each in self.fake.requests if each.bucket == "send"]
        return Seen(
            self.limit,
            self.per,
            sorted(each.at for each in requests),
            sum(each.status == 429 for each in requests),
            [each.content for each in self.fake.messages],
        )


def _end(drivers: Sequence[Popen[str]]) -> None:
    for each in drivers:
        assert each.stdin
        each.stdin.close()


@contextmanager
def _driver(settings: dict[str, object], ahead: float) -> Generator[Popen[str]]:
    """Start a driver and wait until it has imported what its processes need."""
    environment = {"PATH": "/usr/bin:/bin"}
    if ahead:
        environment |= faketime.ahead_by(ahead)
    command = [sys.executable, "-m", "tests.support.sharing_driver", json.dumps(settings)]
    with Popen(  # noqa: S603 - our own words
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()
