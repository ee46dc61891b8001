"""The commands of the control API, read from JSON; a refusal names every bad field."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType

import attrs

from ziett_async._fake.dialect import DIALECTS
from ziett_async._fake.faults import Fault
from ziett_async._fake.operations import OPERATIONS
from ziett_async._fake.state.records import MESSAGE_STATUSES
from ziett_async.emulator.control.command_body import CommandBody

Document = Mapping[str, object]

_MAX_AMOUNT = Decimal(10**12)
_MAX_BYTES = 1 << 20


def read_faults(document: Document) -> Sequence[Fault]:
    """Return the faults to add."""
    kind = _FAULT_KINDS.get(str(document.get("kind")))
    fields = document if kind is None else ("kind", "operation", "times", *kind.fields)
    body = CommandBody(document, *fields)
    body.choice("kind", _FAULT_KINDS, f"must be one of: {', '.join(_FAULT_KINDS)}")
    operation = body.optional_choice("operation", tuple(OPERATIONS))
    times = body.integer("times", 1, least=1, most=1000)
    fault = kind and kind.make(body)
    body.raise_if_invalid()
    return [attrs.evolve(fault, operation=operation)] * times if fault else []


def read_seconds(document: Document) -> float:
    """Return by how many seconds to set the clock forward."""
    body = CommandBody(document, "seconds")
    seconds = body.number("seconds")
    body.raise_if_invalid()
    return seconds


def read_amount(document: Document, balance: Decimal) -> Decimal:
    """Return what to add to the balance; a negative amount takes off at most all of it."""
    body, amount = CommandBody(document, "amount"), Decimal("NaN")
    with suppress(ArithmeticError):
        amount = Decimal(str(document.get("amount")))
    if not amount.is_finite():
        body.add_error("amount", 'must be an amount, like 500 or "499.50"')
    elif not -balance <= amount <= _MAX_AMOUNT:
        body.add_error("amount", f"must be at least {-balance} and at most {_MAX_AMOUNT}")
    elif amount != round(amount, 6):
        body.add_error("amount", "must have at most 6 decimal places")
    body.raise_if_invalid()
    return amount


def read_status(document: Document) -> tuple[str, str | None]:
    """Return the status to give to a message, and its error code."""
    body = CommandBody(document, "status", "error_code")
    must = f"must be one of: {', '.join(MESSAGE_STATUSES)}"
    status = body.choice("status", MESSAGE_STATUSES, must)
    has_code = document.get("error_code") is not None
    error_code = body.text("error_code", most=100) if has_code else None
    body.raise_if_invalid()
    return status, error_code


def read_dialect(document: Document) -> str:
    """Return the name of the dialect to answer in."""
    body = CommandBody(document, "dialect")
    name = body.choice("dialect", DIALECTS, f"must be one of: {', '.join(DIALECTS)}")
    body.raise_if_invalid()
    return name


def read_nothing(document: Document) -> None:
    """Check that the object is empty."""
    CommandBody(document).raise_if_invalid()


@attrs.frozen
class _FaultKind:
    """A kind of fault: its fields beside `operation` and `times`, and how to make it from them."""

    make: Callable[[CommandBody], Fault]
    fields: tuple[str, ...] = ()


def _response_kind(make: Callable[..., Fault], status: int | None = None) -> _FaultKind:
    """Return a kind of fault that is a response; without a default its status is required."""

    def read(body: CommandBody) -> Fault:
        return make(
            body.integer("status", status, least=200, most=599),
            headers=body.headers("headers"),
            body=body.bytes("body"),
        )

    return _FaultKind(read, ("status", "headers", "body"))


def _read_garbage(body: CommandBody) -> Fault:
    given = body.bytes("body")
    return Fault.garbage() if given is None else Fault.garbage(given)


_FAULT_KINDS: Mapping[str, _FaultKind] = MappingProxyType(
    {
        "status": _response_kind(Fault.status),
        "gateway_error": _response_kind(Fault.gateway_error, 502),
        "stored_error": _FaultKind(
            lambda body: Fault.stored_error(body.integer("status", 500, least=400, most=599)),
            ("status",),
        ),
        "refuse": _FaultKind(lambda _: Fault.refuse()),
        "reset": _FaultKind(lambda _: Fault.reset()),
        "lose_answer": _FaultKind(lambda _: Fault.lose_answer()),
        "stall": _FaultKind(
            lambda body: Fault.stall(executes=body.flag("executes", default=True)), ("executes",)
        ),
        "slow": _FaultKind(lambda body: Fault.slow(body.number("seconds")), ("seconds",)),
        "truncate": _FaultKind(
            lambda body: Fault.truncate(body.integer("at", 0, least=0, most=_MAX_BYTES)), ("at",)
        ),
        "garbage": _FaultKind(_read_garbage, ("body",)),
        "running": _FaultKind(lambda body: Fault.running(body.number("seconds")), ("seconds",)),
    }
)
