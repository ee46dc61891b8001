"""Outcomes: a run as an iterator; `run` explains what happens between its steps."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Generic

from ziett_async._loops import CallSoon, call_soon_here, start_in_background
from ziett_async._session import Session
from ziett_async.bulk.plan import OutcomeT, Plan
from ziett_async.bulk.run import Run


class Outcomes(Generic[OutcomeT]):
    """What becomes of each message, as it happens: `async for outcome in ...`, once.

    It is for one task at a time, and nothing happens before its first step. When the loop is
    left early, calls under way are cancelled; `aclose()` waits for their end, too, so
    `contextlib.aclosing` is for interpreters that drop objects late.
    """

    def __init__(self, session: Session, plan: Plan[Any, OutcomeT]) -> None:
        self._session = session
        self._plan = plan
        self._run: Run[Any, OutcomeT] | None = None
        self._call_soon: CallSoon | None = None

    def __aiter__(self) -> AsyncIterator[OutcomeT]:
        return self

    async def __anext__(self) -> OutcomeT:
        if self._run is None:
            self._run = Run[Any, OutcomeT](self._session, self._plan)
            self._call_soon = call_soon_here()
            start_in_background(self._run.run)
        return await self._run.next_outcome()

    async def aclose(self) -> None:
        """End the run and wait for its end; a second time does nothing."""
        if self._run is not None:
            self._run.scope.cancel()
            await self._run.over.wait()

    def __del__(self) -> None:
        if self._run is not None and self._call_soon is not None:
            with suppress(RuntimeError):  # Its event loop was closed: nothing runs there.
                self._call_soon(self._run.scope.cancel)
