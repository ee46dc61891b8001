"""Plan: the inputs and the strategy of a run. Job: one of its calls."""

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from hashlib import sha256
from typing import Generic, Protocol, TypeVar

import attrs
from anyio.lowlevel import checkpoint

from ziett_async._operation import Priority
from ziett_async._session import Session
from ziett_async.bulk.journal import Journal
from ziett_async.bulk.settling import A
from ziett_async.errors import ZiettError

OutcomeT = TypeVar("OutcomeT")
O_co = TypeVar("O_co", covariant=True)
T = TypeVar("T")

#: Messages that are digested without giving other tasks a turn.
_AT_ONCE = 1000

Many = Iterable[T] | AsyncIterable[T]


class Job(Protocol[A, O_co]):
    """One call of a run."""

    #: Its idempotency key; it shows whether a message is the one of a record.
    key: str
    #: Why the call cannot be made; None if it can.
    refused: ZiettError | None

    async def send(self, session: Session, begun_at: float | None) -> A:
        """Make the call; `begun_at` is when an earlier start of the run may have made it."""
        ...

    async def find(self, session: Session, begun_at: float) -> Sequence[A]:
        """Return what the server has accepted since then that may be this."""
        ...

    def outcome(self, answer: A | ZiettError) -> O_co:
        """Return what became of it."""
        ...


@attrs.frozen(eq=False)
class Options:
    """What a run was asked for."""

    #: `send_many`: what a journal and errors name.
    name: str
    source: Many[object]
    journal: Journal | None
    #: The name of the run.
    run: str | None
    concurrency: int
    priority: Priority


@attrs.frozen(eq=False)
class Plan(Generic[A, OutcomeT]):
    """The inputs and the strategy of a run."""

    options: Options
    #: `send_message`: what the errors of calls name.
    operation: str
    #: What the server answers.
    accepted: type[A]
    #: Returns what the calls are for: the messages as they are, or batches of them.
    gather: Callable[[Many[object]], Awaitable[Many[object]]]
    #: Returns a digest of one of these.
    fingerprint: Callable[[object], bytes]
    #: Makes a job from the run's name, the row (from 0) and one of these.
    job: Callable[[str, int, object], Job[A, OutcomeT]]

    async def digest(self, source: Many[object]) -> str | None:
        """Return a digest of what is gathered where it is a sequence, else None."""
        if not isinstance(source, Sequence):
            return None
        digest = sha256()
        for row, given in enumerate(source):
            digest.update(self.fingerprint(given))
            if row % _AT_ONCE == 0:
                await checkpoint()
        return digest.hexdigest()


def iterate(source: Many[T]) -> AsyncIterator[T]:
    """Return an iterator over messages of either kind."""
    return aiter(source) if isinstance(source, AsyncIterable) else _Iterator(iter(source))


class _Iterator(Generic[T]):
    def __init__(self, iterator: Iterator[T]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        for each in self._iterator:
            return each
        raise StopAsyncIteration
