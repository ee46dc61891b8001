"""A service that kills who sends to it, at the moments that matter."""

from typing import Protocol

from ziett_async import Clock, Request
from ziett_async._fake.faults import Ending, Exchange
from ziett_async.testing import FakeZiett


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

    With `accepts=False` it kills in the place of accepting one more.
    """

    def __init__(self, *kills_at: int, clock: Clock | None = None, accepts: bool = True) -> None:
        super().__init__(limits={}, clock=clock)
        self.sender: Killable | None = None
        self._kills_at = list(kills_at)
        self._accepts = accepts

    def exchange(self, request: Request) -> Exchange:
        """Answer a request, unless the client has ended."""
        if not self._accepts and self._kills():
            return Exchange(None, Ending.RESET, executed=False)
        exchange = super().exchange(request)
        if self._accepts:
            self._kills()
        return exchange

    def _kills(self) -> bool:
        sender = self.sender
        is_due = self._kills_at and len(self.messages) >= self._kills_at[0]
        # The requests of one that is dead already may still arrive.
        if not is_due or sender is None or sender.poll() is not None:
            return False
        del self._kills_at[0]
        sender.kill()
        sender.wait()
        return True
