"""What options of the command line may say: text to values, or one line about what is wrong."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from math import isfinite

from ziett_async._telephony.operators import OPERATORS
from ziett_async.testing import DEFAULT_LIMITS, Quota


def seconds(text: str) -> float:
    """Return seconds, 0 or more.

    >>> seconds("0.25")
    0.25
    """
    return _number(text, most=None)


def share(text: str) -> float:
    """Return a share from 0 to 1."""
    return _number(text, most=1.0)


def factor(text: str) -> float:
    """Return a number above 0."""
    value = seconds(text)
    if not value:
        message = "must be above 0"
        raise ArgumentTypeError(message)
    return value


def port(text: str) -> int:
    """Return a port; 0 is any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        message = f"must be a number from 0 to 65535, got {text!r}"
        raise ArgumentTypeError(message)
    return int(text)


def address(text: str) -> str:
    """Return an IP address to listen on.

    >>> address("0.0.0.0")
    '0.0.0.0'
    """
    try:
        return str(ip_address(text))
    except ValueError:
        message = (
            "must be an IP address: 127.0.0.1, or 0.0.0.0 for every network of this machine,"
            f" got {text!r}"
        )
        raise ArgumentTypeError(message) from None


def money(text: str) -> Decimal:
    """Return an amount, 0 or more."""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        message = f"must be an amount, 0 or more, got {text!r}"
        raise ArgumentTypeError(message)
    return amount


def limit(text: str) -> tuple[str, Quota]:
    """Return a bucket's name and its quota; seconds that are left out are 60.

    >>> limit("send=120/2")
    ('send', Quota(limit=120, per=2.0))
    """
    name, _, value = text.partition("=")
    count, _, per = value.partition("/")
    if name not in DEFAULT_LIMITS or not count.isdecimal() or not int(count):
        message = f"must look like send=120/60, with one of {', '.join(DEFAULT_LIMITS)}"
        raise ArgumentTypeError(message)
    return name, Quota(int(count), factor(per or "60"))


def for_operator(value: Callable[[str], float]) -> Callable[[str], Mapping[str, float]]:
    """Return the reader of `UNITEL=3`, or of `3` for every operator.

    >>> for_operator(seconds)("UNITEL=3")
    {'UNITEL': 3.0}
    """

    def read(text: str) -> Mapping[str, float]:
        name, equals, rest = text.rpartition("=")
        if equals and name not in OPERATORS:
            message = f"knows no operator {name!r}, only {', '.join(OPERATORS)}"
            raise ArgumentTypeError(message)
        return dict.fromkeys([name] if equals else OPERATORS, value(rest))

    return read


def _number(text: str, most: float | None) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0 or (most is not None and value > most):
        bound = "or more" if most is None else f"to {most:g}"
        message = f"must be a number, 0 {bound}, got {text!r}"
        raise ArgumentTypeError(message)
    return value
