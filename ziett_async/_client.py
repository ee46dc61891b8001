"""AsyncZiett: assembles settings, ports and resources."""

import warnings
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar, cast
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._clock import Clock, SystemClock
from ziett_async._operation import Operation, Query
from ziett_async._pipeline import Pipeline
from ziett_async._retry import RetryBudget, RetryPolicy
from ziett_async._sansio import Origin
from ziett_async._session import Session
from ziett_async._settings import (
    checked,
    read_defaults,
    read_origin,
    require_instance,
    require_methods,
)
from ziett_async._validation import Fields
from ziett_async.api._call import json_object, path_parameters, query_parameters, require_operation
from ziett_async.api.delivery import Delivery
from ziett_async.bulk.methods import Bulk
from ziett_async.limits import Limiter, limiter_for_account, shared_limiter
from ziett_async.transports import Transport

if TYPE_CHECKING:
    from ziett_async.instrumentation._observer import GuardedObserver, Observer

T = TypeVar("T")

_SYSTEM_CLOCK = SystemClock()


class AsyncZiett(Bulk, Delivery):
    """A Ziett client for asyncio and trio: make one, and share it among tasks and threads.

    ```python
    async with AsyncZiett() as client:
        accepted = await client.send_message("+244990090990", content="Olá")
    ```
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        transport: Transport | None = None,
        limiter: Limiter | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = None,
        attempt_timeout: float = 15.0,
        default_remitter_id: UUID | str | None = None,
        default_country: str | None = None,
        allowed_recipients: Collection[str] | None = None,
        clock: Clock | None = None,
        observer: "Observer | None" = None,
    ) -> None:
        """Build a client; no I/O happens before the first call.

        Args:
            api_key: printable ASCII; None takes `ZIETT_API_KEY`.
            base_url: https, or http to loopback; without a path, its `/c/v1`. None takes
                `ZIETT_BASE_URL`, then the public address.
            transport: None is a `ziett_async.transports.HttpxTransport`. The client closes
                its transport, a given one too.
            limiter: None is the `TokenBucketLimiter` that all clients of this process with
                the same key and address share; `Unlimited()` turns it off.
            retry: None is `RetryPolicy()`, three attempts.
            timeout: seconds for a whole call that has no `timeout` of its own; None sets no
                limit.
            attempt_timeout: seconds for one attempt in all, from connecting to the last byte.
            default_remitter_id: the sender of messages; None takes `ZIETT_REMITTER_ID`, then
                `ZIETT_DEFAULT_REMITTER_ID`, then `ZIETT_SMS_REMITTER_ID`.
            default_country: two letters; numbers may then be given in local form: `AO`, `BR`,
                `CV`, `GW`, `MZ`, `PT`, `ST`; any other country takes the extra `[phone]`. None
                takes `ZIETT_DEFAULT_COUNTRY`.
            allowed_recipients: the only numbers this client may send to. None takes
                `ZIETT_ALLOWED_RECIPIENTS`, then `ZIETT_TEST_ALLOWED_RECIPIENTS`, separated by
                commas, and allows all numbers where neither is set.
            clock: None is the transport's `clock`, which `FakeTransport` has, or else the
                system's.
            observer: sees each call begin and end, and each of its attempts; as
                `ziett_async.instrumentation.opentelemetry.OpenTelemetryObserver` does.

        Raises:
            ConfigurationError: a setting is missing or unusable; the message names it.

        """
        try:
            origin = read_origin(api_key, base_url)
        finally:
            # A traceback that shows local variables would show the key in this frame, too.
            del api_key
        defaults = read_defaults(default_remitter_id, default_country, allowed_recipients, timeout)
        if transport is not None:
            require_methods("transport", transport, "send", "aclose")
        if clock is None:
            clock = cast("Clock", getattr(transport, "clock", _SYSTEM_CLOCK))
        require_methods("clock", clock, "monotonic", "time", "sleep")
        retry = RetryPolicy() if retry is None else retry
        require_instance("retry", retry, RetryPolicy)
        attempt_timeout = checked("attempt_timeout", check.seconds, attempt_timeout)
        self._transport = _default_transport() if transport is None else transport
        pipeline = Pipeline(
            origin=origin,
            transport=self._transport,
            limiter=_limiter_of(limiter, origin, clock, attempt_timeout),
            retry=retry,
            clock=clock,
            attempt_timeout=attempt_timeout,
            budget=RetryBudget(retry.budget),
            observer=None if observer is None else _guarded(observer, origin.base_url, clock),
        )
        if pipeline.observer is not None:
            pipeline.observer.show_limiter(pipeline.limiter)
        self._session = Session(pipeline, defaults)

    async def call(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str] | None = None,
        query: Query = (),
        body: object = None,
        timeout: float | None = None,
        idempotency_key: UUID | str | None = None,
    ) -> T:
        """Carry out an operation, including one that has no method here yet.

        The guarantees of the methods hold: one key, retries, the limiter, typed errors. An
        `Operation` whose result is `type(None)` returns None for a 204, and for any other
        success with no body or with a JSON object.

        Args:
            operation: the endpoint.
            path: path parameters by name; the values are quoted.
            query: query parameters in order, as pairs of name and value.
            body: a JSON object as Python values.
            timeout: seconds for the whole call; None takes the client's.
            idempotency_key: the key of a POST; None makes a new one.

        Raises:
            InvalidRequest: an argument has the wrong type, or a path parameter is missing.
            ConfigurationError: the client has been closed.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: as `send_message`.

        """
        require_operation(operation)
        fields = Fields(operation.name)
        if path is not None:
            path = fields.check("path", path_parameters, path)
        if query != ():
            query = fields.check("query", query_parameters, query) or ()
        if body is not None:
            body = fields.check("body", json_object, body)
        fields.raise_if_invalid()
        return await self._session.call(
            operation,
            path=path,
            query=query,
            body=body,
            timeout=timeout,
            idempotency_key=idempotency_key,
        )

    async def aclose(self) -> None:
        """Close the client; closing it again does nothing, and later calls are refused.

        Calls that are waiting for the limiter or for their next attempt end at once and take no
        token: with `NotSent`, or with the error of their last attempt. An attempt in progress
        is completed and not repeated. Then the transport is closed.
        """
        self._session.pipeline.waits.close()
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):
            return "<AsyncZiett (not built)>"
        pipeline = self._session.pipeline
        state = "closed" if pipeline.waits.is_closed else "open"
        return f"<AsyncZiett {pipeline.origin.base_url} ({state})>"

    def __reduce__(self) -> NoReturn:
        message = "a client is not picklable: it holds the key; build one in each process"
        raise TypeError(message)

    def __del__(self) -> None:
        # When __init__ raised, there is nothing to close.
        if hasattr(self, "_session") and not self._session.pipeline.waits.is_closed:
            message = f"unclosed client {self!r}; use `async with`, or await aclose()"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)


def _limiter_of(
    limiter: Limiter | None, origin: Origin, clock: Clock, attempt_timeout: float
) -> Limiter:
    """Return the limiter of the account: the given one, or else that of the process.

    Raises:
        ConfigurationError: what is given is no limiter.

    """
    if limiter is None:
        limiter = shared_limiter(origin.api_key, origin.base_url, clock)
    require_methods("limiter", limiter, "acquire", "pause")
    return limiter_for_account(limiter, origin, attempt_timeout)


def _guarded(observer: "Observer", base_url: str, clock: Clock) -> "GuardedObserver":
    """Return what keeps the observer's failures from the calls.

    Raises:
        ConfigurationError: it is no observer.

    """
    # Imported here, because few programs have an observer.
    from ziett_async.instrumentation._observer import GuardedObserver  # noqa: PLC0415

    require_methods("observer", observer, "on_call")
    return GuardedObserver.of(observer, base_url, clock)


def _default_transport() -> Transport:
    # Imported here, because httpx is the largest import and a program with another transport
    # never needs it.
    from ziett_async.transports.httpx import HttpxTransport  # noqa: PLC0415

    return HttpxTransport()
