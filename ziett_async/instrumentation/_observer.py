"""The observer's port, and a guard around one so that none of its failures costs a result."""

import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from math import inf
from typing import Protocol, Self, TypeVar, TypeVarTuple
from urllib.parse import urlsplit

import attrs

from ziett_async._clock import Clock
from ziett_async._operation import Bucket, Priority
from ziett_async._outcome import CallState
from ziett_async._repr import Value
from ziett_async.models import Attempt

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

logger = logging.getLogger("ziett_async")

#: What sees each attempt of a call when it has ended.
OnAttempt = Callable[[Attempt], object]


@attrs.frozen(repr=False)
class ObservedCall(Value):
    """A call as an observer sees it begin: nothing of its body, its query or its keys."""

    #: `send_message`.
    operation: str
    #: `POST`.
    method: str
    #: The rate limit that its attempts count against.
    bucket: Bucket
    priority: Priority
    #: The host of the base URL: `api.ziett.co`.
    server_address: str
    #: `443`.
    server_port: int


class Observer(Protocol):
    """Sees each call begin and end, and each of its attempts.

    It is called synchronously, in the task of the call, and so should be quick. What it raises
    is logged by its type, each type once, and costs no result; only what is no `Exception`, such
    as `KeyboardInterrupt`, gets through.

    An observer may have a second method, `on_limiter(limiter, server_address, server_port)`:
    it is called once for every client, when the client is built.
    """

    def on_call(self, call: ObservedCall) -> AbstractContextManager[OnAttempt | None]:
        """Return a context manager, in which the call is carried out.

        It is entered when the arguments have been accepted, before the first wait for the
        limiter. What it gives there, if it is not None, is called with every attempt
        when that attempt has ended. It is left with the error that the caller gets, a
        `ZiettError` or a cancellation, or with none; it cannot suppress or replace one. An
        attempt that is cut off, by a cancellation for instance, has an `error` that says so.

        Entered and left in the task of the call, it may set context variables.
        """
        ...


@attrs.frozen(eq=False, repr=False)
class GuardedObserver:
    """One client's observer, of which no failure costs a result."""

    observer: Observer
    clock: Clock
    server_address: str
    server_port: int
    #: The failures that were logged: which method raised which type.
    logged: set[tuple[str, str]] = attrs.field(init=False, factory=set[tuple[str, str]])

    @classmethod
    def of(cls, observer: Observer, base_url: str, clock: Clock) -> Self:
        """Return a guard for the observer of a client of this address."""
        parts = urlsplit(base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(observer, clock, parts.hostname or "", port)

    @contextmanager
    def watch(self, state: CallState[object], priority: Priority) -> Generator[None]:
        """Show a call to the observer while the block carries it out."""
        operation = state.call.operation
        call = ObservedCall(
            operation.name,
            operation.method,
            operation.bucket,
            priority,
            self.server_address,
            self.server_port,
        )
        manager = self._guard("on_call", self._enter, call, state)
        try:
            yield
        except BaseException as error:
            if state.ended == inf:
                state.record_cut_off(self.clock.monotonic(), error)
            if manager is not None:
                self._guard("on_call", manager.__exit__, type(error), error, error.__traceback__)
            raise
        if manager is not None:
            self._guard("on_call", manager.__exit__, None, None, None)

    def show_limiter(self, limiter: object) -> None:
        """Show the client's limiter to the observer, if it wants to see one."""
        if on_limiter := getattr(self.observer, "on_limiter", None):
            address = self.server_address, self.server_port
            self._guard("on_limiter", on_limiter, limiter, *address)

    def _enter(
        self, call: ObservedCall, state: CallState[object]
    ) -> AbstractContextManager[OnAttempt | None]:
        manager = self.observer.on_call(call)
        on_attempt = manager.__enter__()
        if on_attempt is not None:
            state.on_attempt = lambda attempt: self._guard("on_attempt", on_attempt, attempt)
        return manager

    def _guard(self, method: str, function: Callable[[*Ts], T], *arguments: *Ts) -> T | None:
        """Call the observer; log what it raises, without the text, which may hold anything."""
        try:
            return function(*arguments)
        except Exception as error:  # noqa: BLE001 - a user's observer may raise anything
            kind = type(error).__name__
            if (method, kind) not in self.logged:
                self.logged.add((method, kind))
                fields = {"ziett_failed": f"observer.{method}", "ziett_error": kind}
                logger.warning("the observer's %s raised %s", method, kind, extra=fields)
            return None
