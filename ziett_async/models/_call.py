"""CallInfo: what one call cost."""

import attrs

from ziett_async._repr import Value


@attrs.frozen(repr=False)
class CallInfo(Value):
    """How a call went, for logs and metrics."""

    #: Attempts made; 1 when the first was answered.
    attempts: int
    #: Seconds waited for the rate limiter, over all attempts.
    waited: float
    #: Seconds in all: limiter, attempts and backoff.
    elapsed: float
    #: The HTTP status of the answer.
    status: int
    #: The answer's `trace_id`, where it held one.
    trace_id: str | None = None
