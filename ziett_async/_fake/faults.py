"""Faults: what can go wrong between a client and the service, as values."""

from enum import Enum
from math import inf

import attrs

from ziett_async._fake.operations import OPERATIONS
from ziett_async._fake.responses import proxy_response
from ziett_async._fake.state.records import Arrival
from ziett_async._wire import Headers, Response


class Ending(Enum):
    """How an exchange ends for the client."""

    #: With the response.
    ANSWERED = "answered"
    #: The connection is refused.
    REFUSED = "refused"
    #: The connection is closed instead of a response.
    RESET = "reset"
    #: No response is sent, and the connection stays open.
    STALLED = "stalled"
    #: The connection is closed after `cut` bytes of the response's body.
    TRUNCATED = "truncated"


@attrs.frozen
class Exchange:
    """What a transport, in memory or over a socket, has to do for one request."""

    #: The service's response, even if it is lost; None if there is none.
    response: Response | None
    ending: Ending = Ending.ANSWERED
    #: Seconds between the arrival of the request and the ending.
    delay: float = 0.0
    #: Bytes of the body that are sent if the ending is `TRUNCATED`.
    cut: int = 0
    #: Whether the service executed the request.
    executed: bool = True
    #: The service's record of the request; None if it never reached the service.
    arrival: Arrival | None = attrs.field(default=None, eq=False, repr=False)


def _check_operation(_: object, __: object, operation: str | None) -> None:
    if operation is not None and operation not in OPERATIONS:
        message = f"there is no operation {operation!r}; there are: {', '.join(OPERATIONS)}"
        raise ValueError(message)


@attrs.frozen(kw_only=True)
class Fault:
    """A fault that happens once, to the next request of its operation.

    Raises:
        ValueError: there is no such operation.

    """

    #: Its name in `str` and in the error of a script.
    label: str
    #: `send_message`, `get_message`, ...; None for any request.
    operation: str | None = attrs.field(default=None, validator=_check_operation)
    #: Whether the service executes the request.
    executes: bool = True
    #: The response instead of execution: status, headers, and the body or None for the usual one.
    reply: tuple[int, Headers, bytes | None] | None = None
    #: Bytes instead of the body of the service's response.
    garbled: bytes | None = None
    #: A proxy's response instead of the service's.
    proxied: Response | None = None
    ending: Ending = Ending.ANSWERED
    delay: float = 0.0
    cut: int = 0
    #: Seconds for which the request's idempotency key gets a 409.
    busy: float = 0.0
    #: Whether the reply is stored as the idempotency key's response.
    stored: bool = False

    def __str__(self) -> str:
        return f"{self.label} for {self.operation or 'any operation'}"

    @classmethod
    def status(
        cls,
        status: int,
        *,
        headers: Headers = (),
        body: bytes | None = None,
        operation: str | None = None,
    ) -> "Fault":
        """Respond with this status and do not execute the request.

        The default body is the error object, or HTML for 502, 503 and 504, which come from
        a proxy. The request does not count against a rate limit.

        Raises:
            TypeError: the status is not an integer.
            ValueError: the status is not from 200 to 599.

        """
        _check_status(status)
        label, reply = f"status({status})", (status, headers, body)
        return cls(label=label, operation=operation, executes=False, reply=reply)

    @classmethod
    def stored_error(cls, status: int = 500, *, operation: str | None = None) -> "Fault":
        """Respond with this status without executing, and store that response under the key.

        Raises:
            TypeError: the status is not an integer.
            ValueError: the status is not from 200 to 599.

        """
        fault = cls.status(status, operation=operation)
        return attrs.evolve(fault, label=f"stored_error({status})", stored=True)

    @classmethod
    def refuse(cls, *, operation: str | None = None) -> "Fault":
        """Refuse the connection, so that the request never arrives."""
        return cls(label="refuse()", operation=operation, executes=False, ending=Ending.REFUSED)

    @classmethod
    def reset(cls, *, operation: str | None = None) -> "Fault":
        """Close the connection without executing the request."""
        return cls(label="reset()", operation=operation, executes=False, ending=Ending.RESET)

    @classmethod
    def lose_answer(cls, *, operation: str | None = None) -> "Fault":
        """Execute the request, then close the connection without a response."""
        return cls(label="lose_answer()", operation=operation, ending=Ending.RESET)

    @classmethod
    def stall(cls, *, executes: bool = True, operation: str | None = None) -> "Fault":
        """Execute the request, or not, and never respond."""
        label = f"stall(executes={executes})"
        return cls(label=label, operation=operation, executes=executes, ending=Ending.STALLED)

    @classmethod
    def slow(cls, seconds: float, *, operation: str | None = None) -> "Fault":
        """Execute the request at once and respond `seconds` later."""
        return cls(label=f"slow({seconds})", operation=operation, delay=seconds)

    @classmethod
    def truncate(cls, at: int = 0, *, operation: str | None = None) -> "Fault":
        """Execute the request and close the connection after `at` bytes of the response's body."""
        label, ending = f"truncate({at})", Ending.TRUNCATED
        return cls(label=label, operation=operation, ending=ending, cut=at)

    @classmethod
    def garbage(cls, body: bytes = b"\x00\xff{", *, operation: str | None = None) -> "Fault":
        """Execute the request and respond with these bytes instead of the body."""
        return cls(label="garbage()", operation=operation, garbled=body)

    @classmethod
    def gateway_error(
        cls,
        status: int = 502,
        *,
        headers: Headers = (),
        body: bytes | None = None,
        operation: str | None = None,
    ) -> "Fault":
        """Execute the request; a proxy in front responds with this status instead.

        That is what a proxy does that loses the service's response (502) or stops waiting
        for it (504). The default body is HTML.

        Raises:
            TypeError: the status is not an integer.
            ValueError: the status is not from 200 to 599.

        """
        _check_status(status)
        label, page = f"gateway_error({status})", proxy_response(status, headers, body)
        return cls(label=label, operation=operation, proxied=page)

    @classmethod
    def running(cls, seconds: float, *, operation: str | None = None) -> "Fault":
        """Execute the request, lose the response, and answer its key with a 409 for `seconds`."""
        label, ending = f"running({seconds})", Ending.RESET
        return cls(label=label, operation=operation, ending=ending, busy=seconds)

    def to_exchange(self, response: Response | None) -> Exchange:
        """Return the exchange that this fault turns the service's response into."""
        if response is not None and self.garbled is not None:
            response = attrs.evolve(response, body=self.garbled)
        delay = inf if self.ending is Ending.STALLED else self.delay
        return Exchange(self.proxied or response, self.ending, delay, self.cut, self.executes)


def _check_status(status: object) -> None:
    if not isinstance(status, int):
        message = f"a status must be an integer, got {status!r}"
        raise TypeError(message)
    if not 200 <= status <= 599:
        message = f"a status must be from 200 to 599, got {status}"
        raise ValueError(message)
