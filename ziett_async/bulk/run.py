"""Run: many calls at once, behind an iterator of what becomes of them.

The iterator has to work in a plain `async for`, at the full speed of the limit, and to leave
nothing behind when the loop is left. A task group cannot stay open across a `yield`: it would
belong to the task of the loop, whose cancel scopes it would mix up. One that is opened and
closed in each step would have to wait for every call under way, so that one slow answer holds
all others up, or to cancel calls whose answers are lost then. So the calls are made by workers
in one task group, which a background task keeps open, and four rules keep that task from being
an orphan:

* It starts with the first step of the iterator, and ends before its last one.
* It does nothing on its own account. A message is read only after a slot was free for it, and a
  slot becomes free when the loop takes an outcome. Without a loop it comes to rest.
* It holds no reference to the iterator. When that is dropped, which CPython does as soon as a loop
  is left, by `break`, an exception or a cancellation, or when it is closed, the task is
  cancelled: calls that wait take nothing from the limit, and those under way are left
  unsettled, in the journal too, and are made again with their keys when the run is started
  again.
* Nothing escapes from it. An exception is kept, and raised by the step after the outcomes.

An error that affects all calls stops the run in another way: nothing is read any more, calls
that wait for their turn end without one, and those under way are completed, as their outcomes
are worth knowing.
"""

from collections import deque
from collections.abc import Coroutine
from os import urandom
from typing import Any, Generic

import anyio
import attrs
from anyio.abc import TaskGroup

from ziett_async._session import Session
from ziett_async.bulk.journal import Header, Record, RunJournal, require_same_run
from ziett_async.bulk.plan import Job, Many, OutcomeT, Plan, iterate
from ziett_async.bulk.settling import (
    NOT_ALLOWED,
    TOO_OLD,
    A,
    id_of,
    is_safe,
    record_after,
    recorded_answer,
    unresolved_error,
)
from ziett_async.errors import (
    ConfigurationError,
    NotSent,
    OutcomeUnknown,
    PermissionDeniedError,
    ZiettError,
)

_CLOSED = "the client is closed; run it inside its `async with`, or before aclose()"


class Run(Generic[A, OutcomeT]):
    """The background task, its calls and what it shares with the iterator."""

    def __init__(self, session: Session, plan: Plan[A, OutcomeT]) -> None:
        self._plan: Plan[A, OutcomeT] = plan
        #: Closed when the run is stopped, and with the client's own.
        self._waits = session.pipeline.waits.part()
        pipeline = attrs.evolve(session.pipeline, waits=self._waits)
        # A client's timeout is meant for one call, and not for all that wait before it.
        defaults = attrs.evolve(session.defaults, timeout=None)
        self._session = attrs.evolve(session, pipeline=pipeline, defaults=defaults)
        self._clock = pipeline.clock
        self._journal = RunJournal(plan.options.journal)
        #: Of everything; cancelled when the iterator is dropped.
        self.scope = anyio.CancelScope()
        self._reading = anyio.CancelScope()
        self._slots = anyio.Semaphore(plan.options.concurrency)
        self._workers = list[Coroutine[Any, Any, None]]()
        #: The calls that no worker has taken yet, and for each worker a None at the end.
        self._calls: deque[tuple[Job[A, OutcomeT], Record] | None] = deque()
        self._waiting_calls = anyio.Semaphore(0)
        #: One at a time looks a message up, so that none is found for two calls.
        self._look_up = anyio.Lock()
        self._outcomes = deque[OutcomeT]()
        self._news = anyio.Event()
        #: What the run ends with.
        self._error: Exception | None = None
        #: Set when nothing runs any more.
        self.over = anyio.Event()

    async def next_outcome(self) -> OutcomeT:
        """Return the next outcome, or raise why there is none."""
        while not self._outcomes:
            if self.over.is_set():
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._news = anyio.Event()
            await self._news.wait()
        self._slots.release()
        return self._outcomes.popleft()

    async def run(self) -> None:
        """Run in the background task; an exception is kept for the iterator."""
        try:
            with self.scope:
                await self._open_and_send()
        except Exception as error:  # noqa: BLE001 - a message or a journal may raise anything
            self._keep(error)
        finally:
            self.over.set()
            self._news.set()

    async def _open_and_send(self) -> None:
        try:
            source = await self._plan.gather(self._plan.options.source)
            run = await self._open(source)
            async with anyio.create_task_group() as tasks:
                await self._read_all(run, source, tasks)
        finally:
            for worker in self._workers:
                worker.close()  # It may not have started when asyncio's loop ended.
            await self._journal.aclose()

    async def _open(self, source: Many[object]) -> str:
        """Open the journal; return the name of the run."""
        options, digest = self._plan.options, await self._plan.digest(source)
        wanted = Header(options.name, options.run or digest or urandom(16).hex(), digest)
        found = await self._journal.open(wanted)
        require_same_run(found, wanted, options.run)
        return found.run

    async def _read_all(self, run: str, source: Many[object], tasks: TaskGroup) -> None:
        """Start all messages, or those before an error."""
        try:
            with self._reading:
                await self._read(run, source, tasks)
        except Exception as error:  # noqa: BLE001 - a message source or journal may raise anything
            self._keep(error)
        for _ in self._workers:
            self._have_made(None)

    async def _read(self, run: str, source: Many[object], tasks: TaskGroup) -> None:
        """Start each message as soon as a slot is free."""
        row = 0
        await self._slots.acquire()
        async for given in iterate(source):
            job = self._plan.job(run, row, given)
            self._begin(job, await self._journal.record_of(row, job.key), tasks)
            row += 1
            await self._slots.acquire()
        await self._journal.require_end(row)

    def _begin(self, job: Job[A, OutcomeT], record: Record, tasks: TaskGroup) -> None:
        """Have a call made, unless it is known without one what becomes of the message."""
        known = recorded_answer(record, self._plan.operation, self._plan.accepted) or job.refused
        if known is not None:
            if known is job.refused and record.begun_at is not None:
                known = self._unresolved(job, record.begun_at, NOT_ALLOWED)
            self._put(job.outcome(known))
            return
        if len(self._workers) < self._plan.options.concurrency:
            self._workers.append(self._work())
            tasks.start_soon(self._workers.__getitem__, -1)
        # There is a worker for each slot, so that it is taken at once.
        self._have_made((job, record))

    def _have_made(self, call: tuple[Job[A, OutcomeT], Record] | None) -> None:
        self._calls.append(call)
        self._waiting_calls.release()

    async def _work(self) -> None:
        """Make one call after another."""
        while True:
            await self._waiting_calls.acquire()
            call = self._calls.popleft()
            if call is None:
                return
            await self._carry_out(*call)

    async def _carry_out(self, job: Job[A, OutcomeT], record: Record) -> None:
        """Make a call, or look it up if its key has become too old."""
        if is_safe(record.begun_at, self._clock.time()):
            await self._settle(job, record)
        else:
            async with self._look_up:
                await self._settle(job, record)

    async def _settle(self, job: Job[A, OutcomeT], record: Record) -> None:
        """Make a call, write what is known before and after it, and hand over its outcome."""
        begun_at, outcome = record.begun_at, None
        try:
            if begun_at is None:
                record = attrs.evolve(record, begun_at=self._clock.time())
                await self._journal.write(record)
            answer = await self._answer(job, begun_at)
            if isinstance(answer, NotSent) and self._waits.is_closed:
                self._keep(ConfigurationError(_CLOSED))
            elif isinstance(answer, ZiettError) and answer.affects_all_calls:
                self._stop(answer)
            else:
                outcome = job.outcome(answer)
            settled = record_after(record, answer, begun_at)
            if settled != record:
                await self._journal.write(settled)
        except Exception as error:  # noqa: BLE001 - a message source or journal may raise anything
            self._stop(error)
        if outcome is not None:
            self._put(outcome)

    async def _answer(self, job: Job[A, OutcomeT], begun_at: float | None) -> A | ZiettError:
        if begun_at is not None and not is_safe(begun_at, self._clock.time()):
            return await self._resolve(job, begun_at)
        try:
            return await job.send(self._session, begun_at)
        except ZiettError as error:
            return error

    async def _resolve(self, job: Job[A, OutcomeT], begun_at: float) -> A | ZiettError:
        """Look up a message whose key has become too old to be used again."""
        try:
            found = await job.find(self._session, begun_at)
        except ZiettError as error:
            # The key may lack the scope to list, which keeps no other message from being sent.
            if error.affects_all_calls and not isinstance(error, PermissionDeniedError):
                self._stop(error)
            found = ()
        new = [each for each in found if not await self._journal.has_accepted(id_of(each))]
        return new[0] if len(new) == 1 else self._unresolved(job, begun_at, TOO_OLD)

    def _unresolved(self, job: Job[A, OutcomeT], begun_at: float, reason: str) -> OutcomeUnknown:
        return unresolved_error(self._plan.operation, job.key, begun_at, reason)

    def _put(self, outcome: OutcomeT) -> None:
        self._outcomes.append(outcome)
        self._news.set()

    def _keep(self, error: Exception) -> None:
        """Have the iterator raise an error after the outcomes; the first one counts."""
        self._error = self._error or error

    def _stop(self, error: Exception) -> None:
        """Start no further message, end calls that wait, and complete those under way."""
        self._keep(error)
        self._reading.cancel()
        self._waits.close()
