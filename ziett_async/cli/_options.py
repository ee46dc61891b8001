"""What options of the command line may say: text to values, or one line about what is wrong."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from math import isfinite

from ziett_async.testing import DEFAULT_LIMITS, Quota

OPERATORS = ("UNITEL", "AFRICELL_AO", "OTHER")

#: A value for one operator, or for all: None.
ForOperator = tuple[str | None, float]


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


def for_operator(value: Callable[[str], float]) -> Callable[[str], ForOperator]:
    """Return the reader of `UNITEL=3`, or of `3` for all operators.

    >>> for_operator(seconds)("UNITEL=3"), for_operator(share)("0.1")
    (('UNITEL', 3.0), (None, 0.1))
    """

    def read(text: str) -> ForOperator:
        name, equals, rest = text.rpartition("=")
        if equals and name not in OPERATORS:
            message = f"knows no operator {name!r}, only {', '.join(OPERATORS)}"
            raise ArgumentTypeError(message)
        return name or None, value(rest)

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
