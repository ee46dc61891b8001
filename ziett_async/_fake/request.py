"""A request on its way through the service: parsed once, then matched to its operation."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from urllib.parse import unquote
from uuid import UUID

import attrs

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.operations import Operation
from ziett_async._fake.responses import invalid
from ziett_async._fake.state.store import Store
from ziett_async._wire import Request, Response

BASE_PATH = "/c/v1"


@attrs.frozen(repr=False, kw_only=True)
class IncomingRequest:
    """A request with its headers, key and digest extracted."""

    method: str
    #: After the base path: `/messages`; empty where the base path is missing.
    path: str
    #: Undecoded, without the question mark.
    query: str
    #: By name in lower case.
    headers: Mapping[str, str]
    body: bytes
    #: SHA-256 of the body, in hexadecimal.
    digest: str
    api_key: str | None
    #: None where the method is not POST.
    idempotency_key: str | None

    @classmethod
    def of(cls, request: Request) -> "IncomingRequest":
        """Parse a request and hash its body."""
        path, query = _split_url(request.url)
        headers = {name.lower(): value for name, value in request.headers}
        return cls(
            method=request.method,
            path=path,
            query=query,
            headers=headers,
            body=request.body,
            digest=sha256(request.body).hexdigest(),
            api_key=headers.get("x-api-key"),
            idempotency_key=headers.get("idempotency-key") if request.method == "POST" else None,
        )

    @property
    def fingerprint(self) -> str:
        """What every request with the same idempotency key must have in common."""
        return f"{self.path} {self.digest}"

    @property
    def media_type(self) -> str:
        """The body's media type in lower case, without parameters; empty if not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@attrs.frozen(repr=False, kw_only=True)
class MatchedRequest:
    """An incoming request with the operation that its method and path belong to."""

    incoming: IncomingRequest
    operation: Operation
    #: The path parameters by name, still percent-encoded.
    path_parameters: Mapping[str, str]

    def uuid(self, name: str, dialect: Dialect) -> UUID:
        """Return an id from the path.

        Raises:
            Refusal: 422, if the dialect does not accept it.

        """
        found = dialect.parse_id(unquote(self.path_parameters[name]))
        if found is None:
            raise invalid({name: dialect.id_problem})
        return found


#: Executes a request that was validated.
Action = Callable[[], Response]
#: Validates a request, or raises `Refusal`, and returns the action that executes it.
Handler = Callable[[Store, MatchedRequest], Action]


def _split_url(url: str) -> tuple[str, str]:
    """Return the path after the base path, and the query."""
    address, _, query = url.partition("?")
    _, base, path = address.partition(BASE_PATH)
    return (path if base else ""), query
