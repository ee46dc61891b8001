"""What can go wrong between a client and the service, as values, and the queue of them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
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
    #: Nobody listens: the connection is refused.
    REFUSED = "refused"
    #: The connection is closed where the response should be.
    RESET = "reset"
    #: Nothing comes, and the connection stays open.
    STALLED = "stalled"
    #: The connection is closed after `cut` bytes of the response's body.
    TRUNCATED = "truncated"


@attrs.frozen
class Exchange:
    """What a transport, in memory or on a socket, has to act out for one request."""

    #: What the service answered, even where it gets lost; None where it said nothing.
    response: Response | None
    ending: Ending = Ending.ANSWERED
    #: Seconds between the request's arrival and the ending.
    delay: float = 0.0
    #: Bytes of the body that arrive when the ending is `TRUNCATED`.
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
    """One thing that goes wrong once, for the next request of its operation.

    Raises:
        ValueError: there is no such operation.

    """

    #: What `repr` and a failed script call it.
    label: str
    #: `send_message`, `get_message`, ...; None for any request.
    operation: str | None = attrs.field(default=None, validator=_check_operation)
    #: Whether the service carries the request out.
    executes: bool = True
    #: What is answered instead: status, headers, and a body or None for the usual one.
    reply: tuple[int, Headers, bytes | None] | None = None
    #: Bytes in place of the body of the service's own answer.
    garbled: bytes | None = None
    #: A proxy's answer in place of the service's own.
    proxied: Response | None = None
    ending: Ending = Ending.ANSWERED
    delay: float = 0.0
    cut: int = 0
    #: Seconds for which the request's idempotency key gets a 409.
    busy: float = 0.0
    #: Whether the reply is kept as the idempotency key's answer.
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
        """Answer this status and do nothing; without a body, the error object.

        502, 503 and 504 come from a proxy, so without a body theirs is HTML. It counts
        against no rate limit.

        Raises:
            TypeError: the status is no number.
            ValueError: it is not from 200 to 599, so nothing can answer it.
        """
        _check_status(status)
        label, reply = f"status({status})", (status, headers, body)
        return cls(label=label, operation=operation, executes=False, reply=reply)

    @classmethod
    def stored_error(cls, status: int = 500, *, operation: str | None = None) -> "Fault":
        """Answer this status, do nothing, and give the same answer to the key for a day."""
        fault = cls.status(status, operation=operation)
        return attrs.evolve(fault, label=f"stored_error({status})", stored=True)

    @classmethod
    def refuse(cls, *, operation: str | None = None) -> "Fault":
        """Refuse the connection: the request never arrives."""
        return cls(label="refuse()", operation=operation, executes=False, ending=Ending.REFUSED)

    @classmethod
    def reset(cls, *, operation: str | None = None) -> "Fault":
        """Close the connection before the request is accepted."""
        return cls(label="reset()", operation=operation, executes=False, ending=Ending.RESET)

    @classmethod
    def lose_answer(cls, *, operation: str | None = None) -> "Fault":
        """Carry the request out, then close the connection instead of answering."""
        return cls(label="lose_answer()", operation=operation, ending=Ending.RESET)

    @classmethod
    def stall(cls, *, executes: bool = True, operation: str | None = None) -> "Fault":
        """Carry the request out, or not, and never answer."""
        label = f"stall(executes={executes})"
        return cls(label=label, operation=operation, executes=executes, ending=Ending.STALLED)

    @classmethod
    def slow(cls, seconds: float, *, operation: str | None = None) -> "Fault":
        """Carry the request out at once and answer so many seconds later."""
        return cls(label=f"slow({seconds})", operation=operation, delay=seconds)

    @classmethod
    def truncate(cls, at: int = 0, *, operation: str | None = None) -> "Fault":
        """Carry the request out and close after so many bytes of the answer's body."""
        label, ending = f"truncate({at})", Ending.TRUNCATED
        return cls(label=label, operation=operation, ending=ending, cut=at)

    @classmethod
    def garbage(cls, body: bytes = b"\x00\xff{", *, operation: str | None = None) -> "Fault":
        """Carry the request out and answer its status and headers with these bytes."""
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
        """Carry the request out; a proxy in front answers this status instead.

        So does one that loses the service's answer (502) or does not wait for it (504).
        Without a body the answer is HTML. Raises as `status` does.
        """
        _check_status(status)
        label, page = f"gateway_error({status})", proxy_response(status, headers, body)
        return cls(label=label, operation=operation, proxied=page)

    @classmethod
    def running(cls, seconds: float, *, operation: str | None = None) -> "Fault":
        """Carry it out, lose the answer, and give its key a 409 for so many seconds."""
        label, ending = f"running({seconds})", Ending.RESET
        return cls(label=label, operation=operation, ending=ending, busy=seconds)

    def to_exchange(self, response: Response | None) -> Exchange:
        """Return the exchange that this fault makes of the service's answer."""
        if response is not None and self.garbled is not None:
            response = attrs.evolve(response, body=self.garbled)
        delay = inf if self.ending is Ending.STALLED else self.delay
        return Exchange(self.proxied or response, self.ending, delay, self.cut, self.executes)


class Faults:
    """Faults waiting for their request, in order; each happens once."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that no request has met yet."""
        return tuple(self._waiting.values())

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the queue."""
        self._queue(faults)

    def clear(self) -> None:
        """Forget every fault that is waiting."""
        self._waiting.clear()

    def take(self, operation: str | None) -> Fault | None:
        """Take the first fault that is for this operation or for any; None if none is."""
        for ticket, fault in self._waiting.items():
            if fault.operation in (None, operation):
                return self._waiting.pop(ticket)
        return None

    @contextmanager
    def script(self, *faults: Fault) -> Generator[None]:
        """Queue faults for a block of code that must meet them all.

        Raises:
            AssertionError: at the end of the block, naming the faults that did not happen.
            TypeError: at its beginning, when something is no fault.
        """
        tickets = self._queue(faults)
        try:
            yield
            unused = [str(self._waiting[ticket]) for ticket in tickets if ticket in self._waiting]
            if unused:
                message = f"faults that never happened: {', '.join(unused)}"
                raise AssertionError(message)
        finally:
            for ticket in tickets:
                self._waiting.pop(ticket, None)

    def _queue(self, faults: tuple[Fault, ...]) -> list[int]:
        _check_faults(faults)
        tickets = [self._count + index for index in range(len(faults))]
        self._waiting.update(zip(tickets, faults, strict=True))
        self._count += len(faults)
        return tickets


def _check_status(status: object) -> None:
    if not isinstance(status, int):
        message = f"a status must be a number, got {status!r}"
        raise TypeError(message)
    if not 200 <= status <= 599:
        message = f"a status must be from 200 to 599, got {status}"
        raise ValueError(message)


def _check_faults(faults: Sequence[object]) -> None:
    for each in faults:
        if not isinstance(each, Fault):
            message = f"give a Fault, such as Fault.lose_answer(), not {each!r}"
            raise TypeError(message)
