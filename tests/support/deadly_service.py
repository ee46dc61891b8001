"""A service that kills who sends to it, in the moment that matters most."""

from collections.abc import Callable, Mapping
from subprocess import Popen

from ziett_async import Clock, Request
from ziett_async.testing import Exchange, FakeZiett, Quota

#: A program that sends, running.
Sender = Popen[str]


class DeadlyZiett(FakeZiett):
    """Kills who sends to it when it has accepted so many messages, and before it says so."""

    def __init__(
        self,
        *kills_at: int,
        clock: Clock | None = None,
        limits: Mapping[str, Quota] | None = None,
    ) -> None:
        super().__init__(limits=limits or {}, clock=clock)
        self.sender: Sender | None = None
        self._kills_at = list(kills_at)

    def exchange(self, request: Request) -> Exchange:
        """Answer a request, unless the client has ended."""
        exchange = super().exchange(request)
        sender = self.sender
        is_due = self._kills_at and len(self.messages) >= self._kills_at[0]
        # The requests of one that is dead already may still arrive.
        if is_due and sender is not None and sender.poll() is None:
            del self._kills_at[0]
            sender.kill()
            sender.wait()
        return exchange

    def run(self, start: Callable[[], Sender], *, timeout: float = 30) -> tuple[int, str]:
        """Start a program, wait for its end and return its exit code and what it printed."""
        with start() as self.sender:
            printed, _ = self.sender.communicate(timeout=timeout)
            return self.sender.returncode, printed
