"""Problem: the content of a response outside 2xx."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from ziett_async._repr import Value
from ziett_async.models._enums import ErrorCode


@attrs.frozen(repr=False)
class Problem(Value):
    """The server's error object, as far as the answer held one (API page, Errors)."""

    #: The HTTP status.
    status: int
    #: `RATE_LIMIT_EXCEEDED`; None when the body was not the API's error object.
    code: ErrorCode | None = None
    #: The server's message, or a description of a body without one.
    message: str = "no message"
    #: Identifies the request to the API's support.
    trace_id: str | None = None
    timestamp: datetime | None = None
    #: `core`, `billing`.
    service: str | None = None
    #: Field name to message; empty unless the status is 422.
    fields: Mapping[str, str] = attrs.field(factory=dict[str, str])
    #: Seconds the server asks to wait, from its `Retry-After`.
    retry_after: float | None = None
