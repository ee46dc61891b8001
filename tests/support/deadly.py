"""A service that kills who sends to it, at the moments that matter."""

from collections.abc import Callable, Mapping
from math import inf
from subprocess import Popen
from typing import Protocol

from ziett_async import Clock, Request
from ziett_async._fake.faults import Ending, Exchange
from ziett_async.testing import FakeZiett, Quota


class Killable(Protocol):
    """A process, or all of a fleet."""

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        ...

    def kill(self) -> None:
        """Kill it at once, whatever it does."""
        ...

    def wait(self) -> object:
        """Return when it has ended."""
        ...


class DeadlyZiett(FakeZiett):
    """Kills who sends to it when it has accepted so many messages, and before it says so.

    It first holds the requests of `held` tasks, so that all those who send are in the middle of it,
    and none between two messages. With `accepts=False` it accepts none of those it holds.
    """

    def __init__(
        self,
        *kills_at: int,
        clock: Clock | None = None,
        limits: Mapping[str, Quota] | None = None,
        held: int = 1,
        accepts: bool = True,
    ) -> None:
        super().__init__(limits=limits or {}, clock=clock)
        self.sender: Killable | None = None
        self._kills_at = list(kills_at)
        self._wanted, self._held, self._accepts = held, 0, accepts

    def exchange(self, request: Request) -> Exchange:
        """Answer a request, or hold it until the client is killed."""
        sender = self.sender
        # The requests of one that is dead already may still arrive.
        if not self._is_due or sender is None or sender.poll() is not None:
            return super().exchange(request)
        if self._accepts:
            super().exchange(request)
        self._held += 1
        if self._held == self._wanted:
            self._held = 0
            del self._kills_at[0]
            sender.kill()
            sender.wait()
        return Exchange(None, Ending.STALLED, inf, executed=self._accepts)

    def run(self, start: Callable[[], Popen[str]], *, timeout: float = 30) -> tuple[int, str]:
        """Start a program, wait for its end and return its exit code and what it printed."""
        with start() as program:
            self.sender = program
            printed, _ = program.communicate(timeout=timeout)
            return program.returncode, printed

    @property
    def _is_due(self) -> bool:
        return bool(self._kills_at) and len(self.messages) + 1 >= self._kills_at[0]
