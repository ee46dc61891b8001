"""`normalize_number`: any spelling of a number to E.164."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async import InvalidRequest, normalize_number

ANGOLAN = "+244923456789"


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("923 456 789", "AO", ANGOLAN),
        ("+244 (0) 923-456-789", None, ANGOLAN),
        ("00244923456789", "PT", ANGOLAN),
        ("11 98765-4321", "BR", "+5511987654321"),
        # Of other countries, as the library has them.
        ("07911 123456", "GB", "+447911123456"),
        ("+44 7911 123456", "AO", "+447911123456"),
        ("+44 7911 123456", None, "+447911123456"),
        ("06 69812345", "IT", "+390669812345"),
        ("011 244 923 456 789", "US", ANGOLAN),
        ("0923 456 789", "AO", ANGOLAN),
        ("+244 (0) 923 456 789", "US", ANGOLAN),
    ],
)
def test_a_number_of_any_country_is_read(text: str, country: str | None, number: str) -> None:
    """The country is that of local numbers; one with a plus is the same in every country."""
    assert normalize_number(text, country) == number


def refused(text: Any, country: Any = None) -> dict[str, str]:  # noqa: ANN401
    """Return what is wrong, by field."""
    with pytest.raises(InvalidRequest) as caught:
        normalize_number(text, country)
    assert caught.value.operation == "normalize_number"
    assert caught.value.__cause__ is None
    return caught.value.fields


@pytest.mark.parametrize(
    ("text", "country", "reason"),
    [
        ("", None, "is required and must not be empty"),
        (" ", None, "is empty"),
        (None, "AO", "must be a string, got NoneType"),
        (923456789, "AO", "must be a string, got int"),
        (b"923456789", "AO", "must be a string, got bytes"),
        ("9\ud800", "AO", "holds half of a surrogate pair, which is not a character"),
        (
            "923456789",
            None,
            "has no country code; write it like +244990090990, or give its country",
        ),
        ("+12", None, "has 1 digit where a number of +1 has 10"),
        (
            "9.23456789E8",
            "AO",
            "is in a spreadsheet's scientific notation, which loses digits; make it text there",
        ),
        (
            "+44 79111234",
            "AO",
            "is not assigned in its country; is a digit missing or wrong?",
        ),
        (
            "0791112345",
            "GB",
            "is not assigned in its country; is a digit missing or wrong?",
        ),
        (
            "+999 1234567",
            "GB",
            "is not assigned in its country; is a digit missing or wrong?",
        ),
    ],
)
def test_what_is_no_number_is_an_invalid_request(
    text: object, country: str | None, reason: str
) -> None:
    """The field and the reason, and never the number."""
    assert refused(text, country) == {"text": reason}


@pytest.mark.parametrize(
    ("country", "reason"),
    [
        ("ao", "must be the two capital letters of a country, like AO"),
        ("XX", "must be the two capital letters of a country, like AO"),
        ("", "is required and must not be empty"),
        (244, "must be a string, got int"),
    ],
)
def test_what_is_no_country_is_refused(country: object, reason: str) -> None:
    """Before the number is looked at."""
    assert refused("x", country) == {"country": reason}


@given(
    st.text("+0123456789 .-()/\u200e\uff19'") | st.text(),
    st.sampled_from([None, "AO", "BR", "MZ", "GB", "US", "IT"]),
)
def test_a_normalized_number_stays_as_it_is(text: str, country: str | None) -> None:
    """Normalizing twice is normalizing once; what is no number raises nothing but its refusal."""
    try:
        number = normalize_number(text, country)
    except InvalidRequest:
        return
    assert normalize_number(number, country) == number
    assert normalize_number(number) == number
