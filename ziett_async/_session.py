"""Session: how the resources of the API make a call, and what a client fills in for them."""

from collections.abc import Collection, Mapping
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import attrs

from ziett_async import _validation as check
from ziett_async._operation import Operation, Priority, Query
from ziett_async._pipeline import Pipeline
from ziett_async._validation import Fields
from ziett_async.errors import ConfigurationError, InvalidRequest

T = TypeVar("T")


@attrs.frozen(eq=False, repr=False)
class Defaults:
    """What a client fills in where a call leaves it out."""

    remitter_id: str | None = None
    #: Two letters; the country of numbers without a country code.
    country: str | None = None
    #: E.164 numbers, the only ones this client may send to; None allows all.
    allowed_recipients: Collection[str] | None = None
    #: Seconds for a whole call; None is no bound.
    timeout: float | None = None


@attrs.frozen(eq=False, repr=False)
class Session:
    """One client's calls."""

    pipeline: Pipeline
    defaults: Defaults
    #: The `Watcher` of each event loop; it lives as long as its callers.
    watchers: WeakValueDictionary[object, object] = attrs.field(
        init=False, factory=WeakValueDictionary[object, object]
    )

    async def call(  # noqa: PLR0913 - all by keyword, and most calls leave most of them out
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str] | None = None,
        query: Query = (),
        body: object = None,
        timeout: float | None = None,
        idempotency_key: UUID | str | None = None,
        priority: Priority = Priority.URGENT,
        begun_at: float | None = None,
    ) -> T:
        """Carry out one use of an operation; path, query and body are as the API wants them.

        `begun_at` is when another process may have made the first attempt with these bytes
        under this key, in seconds since 1970; None is not before.
        """
        if self.pipeline.waits.is_closed:
            message = "the client is closed; make calls inside its `async with`, or before aclose()"
            raise ConfigurationError(message)
        if timeout is not None or idempotency_key is not None:
            fields = Fields(operation.name)
            if timeout is not None:
                timeout = fields.check("timeout", check.seconds, timeout)
            if idempotency_key is not None:
                rule = check.idempotency_key
                idempotency_key = fields.check("idempotency_key", rule, idempotency_key)
            fields.raise_if_invalid()
        if timeout is None:
            timeout = self.defaults.timeout
        try:
            call = operation(path=path, query=query, body=body)
        except ValueError as error:
            raise InvalidRequest(operation.name, {"path": str(error)}) from None
        return await self.pipeline.run(call, timeout, idempotency_key, priority, begun_at)
