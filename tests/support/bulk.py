"""Many messages, and what tests of them need: a list, a service, a journal in memory."""

from collections.abc import AsyncIterable, Collection, Mapping, Sequence

from tests.support.samples import API_KEY, REMITTER
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Limiter,
    NewMessage,
    RetryPolicy,
    SendOutcome,
    TokenBucketLimiter,
)
from ziett_async.bulk.journal import Header, Record
from ziett_async.testing import FakeTransport, FakeZiett

#: What every message says.
TEXT = "A sua factura está pronta."
#: One attempt, so that a fault of a test is what a call ends with.
ONCE = RetryPolicy(attempts=1)


def numbers(count: int) -> list[str]:
    """Return so many numbers."""
    return [f"+2449231{index:05}" for index in range(count)]


def messages(count: int) -> list[NewMessage]:
    """Return a message to each of so many numbers."""
    return [NewMessage(number, TEXT) for number in numbers(count)]


def client_of(
    fake: FakeZiett,
    *,
    limiter: Limiter | None = None,
    latency: float = 0.0,
    retry: RetryPolicy | None = None,
    timeout: float | None = None,
    allowed_recipients: Collection[str] | None = None,
) -> AsyncZiett:
    """Return a client with a limiter of its own, on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake, latency=latency),
        limiter=limiter or TokenBucketLimiter(clock=fake.clock),
        retry=retry,
        timeout=timeout,
        default_remitter_id=REMITTER,
        allowed_recipients=allowed_recipients,
    )


async def collected(outcomes: AsyncIterable[SendOutcome]) -> list[SendOutcome]:
    """Return all outcomes of a run."""
    return [each async for each in outcomes]


async def take(outcomes: AsyncIterable[SendOutcome], into: list[SendOutcome]) -> None:
    """Add the outcomes of a run to a list, up to its error."""
    async for each in outcomes:
        into.append(each)  # noqa: PERF401 - what comes before an error counts, too


def accepted(outcomes: Sequence[SendOutcome]) -> list[AcceptedMessage]:
    """Return what was accepted; every outcome must be."""
    values = [each.accepted for each in outcomes]
    assert [each.error for each in outcomes if each.error] == []
    return [each for each in values if each]


class MemoryJournal:
    """A journal that is lost with the process, and takes note of its commits."""

    def __init__(self, records: Mapping[int, Record] | None = None) -> None:
        self.header: Header | None = None
        self.records = dict(records or {})
        #: The records of each commit.
        self.commits: list[Sequence[Record]] = []
        self.is_open = False

    async def open(self, header: Header) -> Header:
        """Return the header that was kept first."""
        assert not self.is_open
        self.is_open = True
        self.header = self.header or header
        return self.header

    async def read(self, row: int, count: int) -> Sequence[Record]:
        """Return the next records."""
        assert self.is_open
        return [self.records[each] for each in sorted(self.records) if each >= row][:count]

    async def write(self, records: Sequence[Record]) -> None:
        """Keep records."""
        assert self.is_open
        self.commits.append(tuple(records))
        self.records |= {each.row: each for each in records}

    async def has_accepted(self, accepted_id: str) -> bool:
        """Search the records."""
        return any(each.accepted_id == accepted_id for each in self.records.values())

    async def aclose(self) -> None:
        """Be opened again."""
        self.is_open = False
