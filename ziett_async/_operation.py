"""Operation: an endpoint as a value. Call: one use of it, not yet encoded.

Adding an endpoint is one `Operation` constant and one typed method in a module of `api/`;
no code between the method and the wire names an endpoint.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Generic, TypeVar, cast
from urllib.parse import quote

import attrs

from ziett_async._mask import masked_number
from ziett_async._repr import Value
from ziett_async._telephony.phone import is_e164

T_co = TypeVar("T_co", covariant=True)

#: The HTTP methods of the API.
METHODS = ("GET", "POST", "PATCH", "DELETE")

#: Query parameters in order; a name repeats for each of its values.
Query = Sequence[tuple[str, str]]


class Bucket(StrEnum):
    """The rate limit that an operation's attempts count against (API page, Rate limits)."""

    #: `POST /messages`.
    SEND = "send"
    #: The paginated lists.
    LIST = "list"
    #: Every other GET.
    READ = "read"
    #: `POST /campaigns/batch`.
    BATCH = "batch"


class Priority(StrEnum):
    """Which calls go first when the rate limit makes calls wait."""

    #: Goes before every bulk call and may use the whole limit: the priority of `send_message`.
    URGENT = "urgent"
    #: Goes after every urgent call and never uses more than the limit without its `reserve`.
    BULK = "bulk"


def _check_method(_: object, __: object, method: str) -> None:
    # HTTP methods are case-sensitive: `post` would be another one, without an idempotency key.
    if method not in METHODS:
        message = f"method: must be one of {', '.join(METHODS)}, in capitals, got {method!r}"
        raise ValueError(message)


@attrs.frozen(eq=False, repr=False)
class Operation(Value, Generic[T_co]):
    """An endpoint of the API: `GET_MESSAGE = Operation("get_message", "GET", ...)`.

    Raises:
        ValueError: the API does not have the method.

    """

    #: `send_message`: the same name in code, logs and errors.
    name: str
    #: `GET`, `POST`, `PATCH` or `DELETE`.
    method: str = attrs.field(validator=_check_method)
    #: Relative to the base URL, with names in braces: `/messages/{message_id}`.
    path: str
    #: The type of a successful result; `type(None)` where there is none, as with a 204.
    result: type[T_co]
    #: The rate limit it counts against.
    bucket: Bucket

    @property
    def is_keyed(self) -> bool:
        """Whether every attempt carries an `Idempotency-Key`, so that a repeated POST sends once.

        The other methods may be repeated as they are: GET reads, PATCH sets what it
        is given, DELETE removes what is there.
        """
        return self.method == "POST"

    def __call__(
        self,
        *,
        path: Mapping[str, str] | None = None,
        query: Query = (),
        body: object = None,
    ) -> "Call[T_co]":
        """Fill in the path parameters; each value is quoted, so it stays one segment.

        Raises:
            ValueError: a parameter has no value, or one that cannot be a path segment however
                it is quoted: an empty string, `.` or `..`.

        """
        if "{" not in self.path:
            return Call(self, self.path, query, body)
        values = path or {}

        def segment(parameter: re.Match[str]) -> str:
            value = values.get(parameter[1], "")
            if value in {"", ".", ".."}:
                message = f"{self.name}: {parameter[1]} is missing, or cannot stand in a path"
                raise ValueError(message)
            return quote(value, safe="")

        return Call(self, re.sub(r"\{(\w+)\}", segment, self.path), query, body)


# Not frozen: that would double the cost of making one, and it never leaves the package.
@attrs.define(eq=False, repr=False)
class Call(Generic[T_co]):
    """One use of an operation: what the caller wants, not yet encoded."""

    operation: Operation[T_co]
    #: The filled path, relative to the base URL.
    path: str
    query: Query = ()
    #: A JSON object as Python values; None where the operation has no body.
    body: object = None

    def __str__(self) -> str:
        """Return its name and masked numbers, safe to log: `send_message +244*****0990`."""
        body: object = self.body
        values: Iterable[object] = ()
        if isinstance(body, Mapping):
            values = cast("Mapping[str, object]", body).values()
        strings = [value for value in values if isinstance(value, str)]
        numbers = [masked_number(value) for value in strings if is_e164(value)]
        return " ".join([self.operation.name, *numbers])

    def __repr__(self) -> str:
        return f"<Call {self}>"
