"""Errors, for the one question after a failed send: was it sent?

```text
ZiettError
|-- ConfigurationError            the client cannot be built
|-- InvalidRequest (ValueError)   refused before sending; `.fields` has the reasons
|-- RecipientNotAllowed           not in the client's `allowed_recipients`
|-- TransportError                no answer came that settles the call
|   |-- NotSent                   no attempt can have reached the server
|   |   `-- LimiterUnavailable    the limiter could not decide
|   `-- OutcomeUnknown            it may have been carried out; `.idempotency_key`,
|                                 `.safe_to_retry_until`, `.status .code .trace_id`
|-- DeadlineExceeded (TimeoutError) time was up, and no attempt can have reached the server
|-- ApiError                      the service refused
|   |-- AuthenticationError 401   |-- PermissionDeniedError 403   |-- InsufficientFundsError 402
|   |-- NotFoundError 404         |-- ConflictError 409           |-- ValidationError 422
|   |-- RateLimitError 429        `-- ServerError 5xx, of a read
`-- InvalidResponse               an answer to a read that is not what the operation returns
```

After `InvalidRequest`, `RecipientNotAllowed`, `NotSent`, `DeadlineExceeded` or `ApiError` no
message went out. After `OutcomeUnknown` one may have, and calling again with its
`idempotency_key` is safe for 24 hours: the server answers with the first result. A 5xx to a
send is `OutcomeUnknown` too: a proxy answers so also when the service has carried it out.

Errors hold facts, never the request: not the key, not a number, not a text. They pickle.
"""

from ziett_async.errors._api import (
    ApiError,
    AuthenticationError,
    ConflictError,
    InsufficientFundsError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from ziett_async.errors._call import (
    CallError,
    ConfigurationError,
    DeadlineExceeded,
    InvalidRequest,
    InvalidResponse,
    LimiterUnavailable,
    NotSent,
    OutcomeUnknown,
    RecipientNotAllowed,
    Trail,
    TransportError,
    ZiettError,
)

__all__ = [
    "ApiError",
    "AuthenticationError",
    "CallError",
    "ConfigurationError",
    "ConflictError",
    "DeadlineExceeded",
    "InsufficientFundsError",
    "InvalidRequest",
    "InvalidResponse",
    "LimiterUnavailable",
    "NotFoundError",
    "NotSent",
    "OutcomeUnknown",
    "PermissionDeniedError",
    "RateLimitError",
    "RecipientNotAllowed",
    "ServerError",
    "Trail",
    "TransportError",
    "ValidationError",
    "ZiettError",
]

# Tracebacks and pickles name them by the place they are imported from.
for _name in __all__:
    globals()[_name].__module__ = __name__
