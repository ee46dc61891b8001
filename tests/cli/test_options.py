"""The values that options accept, and the errors of others."""

import doctest
from argparse import ArgumentTypeError
from collections.abc import Callable
from decimal import Decimal

import pytest

from ziett_async.cli import _options as take
from ziett_async.testing import Quota


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (take.seconds, "0.25", 0.25),
        (take.share, "1", 1.0),
        (take.factor, "60", 60.0),
        (take.port, "0", 0),
        (take.port, "65535", 65535),
        (take.address, "127.0.0.1", "127.0.0.1"),
        (take.address, "::", "::"),
        (take.money, "15.50", Decimal("15.50")),
        (take.limit, "send=120/2", ("send", Quota(120, 2.0))),
        (take.limit, "list=60", ("list", Quota(60, 60.0))),
        (take.for_operator(take.share), "UNITEL=0.1", {"UNITEL": 0.1}),
        (
            take.for_operator(take.seconds),
            "3",
            {"UNITEL": 3.0, "AFRICELL_AO": 3.0, "OTHER": 3.0},
        ),
    ],
)
def test_what_they_mean(read: Callable[[str], object], text: str, value: object) -> None:
    """Text to values."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "why"),
    [
        (take.seconds, "soon", "0 or more, got 'soon'"),
        (take.seconds, "-1", "0 or more"),
        (take.seconds, "inf", "0 or more"),
        (take.share, "1.1", "0 to 1"),
        (take.factor, "0", "above 0"),
        (take.port, "65536", "0 to 65535"),
        (take.port, "-1", "0 to 65535"),
        (take.address, "ziett", "must be an IP address: .* got 'ziett'"),
        (take.money, "much", "0 or more, got 'much'"),
        (take.money, "NaN", "0 or more"),
        (take.money, "-1", "0 or more"),
        (take.limit, "sent=1", "must look like send=120/60"),
        (take.limit, "send=0", "must look like"),
        (take.limit, "send=x", "must look like"),
        (take.limit, "send=1/0", "above 0"),
        (take.for_operator(take.share), "MOVICEL=0", "no operator 'MOVICEL'"),
    ],
)
def test_what_they_are_told(read: Callable[[str], object], text: str, why: str) -> None:
    """One line that says what would do."""
    with pytest.raises(ArgumentTypeError, match=why):
        read(text)


def test_the_examples_of_the_module_hold() -> None:
    """As they stand in its docstrings."""
    results = doctest.testmod(take)
    assert (results.failed, results.attempted > 0) == (0, True)
