"""What the control API can be told, from its JSON; every bad field is named at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType

import attrs

from ziett_async._fake.dialect import DIALECTS
from ziett_async._fake.faults import Fault
from ziett_async._fake.operations import OPERATIONS
from ziett_async.emulator.control.body import CommandBody

Document = Mapping[str, object]

#: What a message may be marked as: the statuses of the API page, lists and retrieve.
STATUSES = (
    "PENDING",
    "SENT",
    "DELIVERED",
    "FAILED",
    "UNDELIVERED",
    "EXPIRED",
    "REJECTED",
    "CANCELLED",
)
_MOST_MONEY = Decimal(10**12)
_MOST_BYTES = 1 << 20


def read_faults(document: Document) -> Sequence[Fault]:
    """Return the faults that are to wait for their requests."""
    kind = _KINDS.get(str(document.get("kind")))
    fields = document if kind is None else ("kind", "operation", "times", *kind.fields)
    order = CommandBody(document, *fields)
    order.choice("kind", _KINDS, f"must be one of: {', '.join(_KINDS)}")
    operation = order.optional_choice("operation", tuple(OPERATIONS))
    times = order.integer("times", 1, least=1, most=1000)
    fault = kind and kind.make(order)
    order.close()
    return [attrs.evolve(fault, operation=operation)] * times if fault else []


def read_seconds(document: Document) -> float:
    """Return how far to put the clock forward."""
    order = CommandBody(document, "seconds")
    seconds = order.number("seconds")
    order.close()
    return seconds


def read_amount(document: Document, balance: Decimal) -> Decimal:
    """Return what to put on the account; less than nothing takes it off, as far as it goes."""
    order, amount = CommandBody(document, "amount"), Decimal("NaN")
    with suppress(ArithmeticError):
        amount = Decimal(str(document.get("amount")))
    if not amount.is_finite():
        order.note("amount", 'must be an amount, like 500 or "499.50"')
    elif not -balance <= amount <= _MOST_MONEY:
        order.note("amount", f"must be at least {-balance} and at most {_MOST_MONEY}")
    elif amount != round(amount, 6):
        order.note("amount", "must have at most 6 decimal places")
    order.close()
    return amount


def read_outcome(document: Document) -> tuple[str, str | None]:
    """Return the status that a message is to have, and its error code."""
    order = CommandBody(document, "status", "error_code")
    status = order.choice("status", STATUSES, f"must be one of: {', '.join(STATUSES)}")
    has_code = document.get("error_code") is not None
    error_code = order.text("error_code", most=100) if has_code else None
    order.close()
    return status, error_code


def read_dialect(document: Document) -> str:
    """Return the name of the dialect to answer in."""
    order = CommandBody(document, "dialect")
    name = order.choice("dialect", DIALECTS, f"must be one of: {', '.join(DIALECTS)}")
    order.close()
    return name


def read_nothing(document: Document) -> None:
    """Check that nothing more is asked for."""
    CommandBody(document).close()


@attrs.frozen
class _Kind:
    """A kind of fault: what it takes beside its operation, and how it is made of that."""

    make: Callable[[CommandBody], Fault]
    fields: tuple[str, ...] = ()


def _answering(make: Callable[..., Fault], status: int | None = None) -> _Kind:
    """Return the kind of a fault that is an answer; without a `status` one has to be given."""

    def read(order: CommandBody) -> Fault:
        return make(
            order.integer("status", status, least=200, most=599),
            headers=order.headers("headers"),
            body=order.bytes("body"),
        )

    return _Kind(read, ("status", "headers", "body"))


def _garbage(order: CommandBody) -> Fault:
    body = order.bytes("body")
    return Fault.garbage() if body is None else Fault.garbage(body)


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "status": _answering(Fault.status),
        "gateway_error": _answering(Fault.gateway_error, 502),
        "stored_error": _Kind(
            lambda order: Fault.stored_error(order.integer("status", 500, least=400, most=599)),
            ("status",),
        ),
        "refuse": _Kind(lambda _: Fault.refuse()),
        "reset": _Kind(lambda _: Fault.reset()),
        "lose_answer": _Kind(lambda _: Fault.lose_answer()),
        "stall": _Kind(
            lambda order: Fault.stall(executes=order.flag("executes", default=True)), ("executes",)
        ),
        "slow": _Kind(lambda order: Fault.slow(order.number("seconds")), ("seconds",)),
        "truncate": _Kind(
            lambda order: Fault.truncate(order.integer("at", 0, least=0, most=_MOST_BYTES)), ("at",)
        ),
        "garbage": _Kind(_garbage, ("body",)),
        "running": _Kind(lambda order: Fault.running(order.number("seconds")), ("seconds",)),
    }
)
