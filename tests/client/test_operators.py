"""The operators that the API names."""

import pytest

from ziett_async._fake.state.delivery import Delivery
from ziett_async._telephony.operators import OPERATORS, operator_of


@pytest.mark.parametrize(
    ("number", "operator"),
    [
        ("+244923456789", "UNITEL"),
        ("+244990090990", "UNITEL"),
        ("+244951234567", "AFRICELL_AO"),
        ("+244990090991", "OTHER"),
        ("+351923456789", "OTHER"),
    ],
)
def test_the_prefix_of_a_number_tells_its_operator(number: str, operator: str) -> None:
    """The example of the documentation is at UNITEL, whatever its prefix."""
    assert operator_of(number) == operator


def test_the_fake_delivers_at_every_operator() -> None:
    """Each has its time to the final status."""
    assert tuple(Delivery().final_after) == OPERATORS
