"""The E.164 form of the recipients of a batch."""

import pytest

from ziett_async._fake.numbering import to_e164


@pytest.mark.parametrize(
    ("recipient", "country", "number"),
    [
        ("923 456 789", "AO", "+244923456789"),
        ("0923456789", "AO", "+244923456789"),
        ("244923456789", "AO", "+244923456789"),
        ("912-345-678", "PT", "+351912345678"),
        ("351912345", "PT", "+351351912345"),
        ("21 123 456", "MZ", "+25821123456"),
        ("+1 202.555.0100", "PT", "+12025550100"),
        ("+254712345678", "KE", "+254712345678"),
        ("00254 712 345 678", "KE", "+254712345678"),
        ("0712345678", "KE", None),
        ("0000000", "AO", None),
        ("9234567", "AO", None),
        ("2449234567", "AO", None),
        ("+2449234567", "PT", None),
        ("+00244923456789", "AO", None),
        ("++244923456789", "AO", None),
        ("- - - - -", "AO", None),
        ("923456789\x00", "AO", None),
        ("9" * 31, "AO", None),
    ],
)
def test_a_recipient_becomes_e164(recipient: str, country: str, number: str | None) -> None:
    """A number without a prefix belongs to the country; anything else is None."""
    assert to_e164(recipient, country) == number
