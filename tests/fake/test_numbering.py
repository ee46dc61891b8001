"""Which numbers a network can assign, and the E.164 form of a local number."""

import pytest

from ziett_async._fake.numbering import is_assignable, to_e164
from ziett_async._telephony.phone import COUNTRIES, PLANS

#: Numbers in use, or reserved for examples by the country's own authority; the shortest and the
#: longest plans among them.
ASSIGNABLE = [
    "+244990090990",  # Angola, the documentation's own
    "+244222123456",  # Luanda, a landline
    "+25821123456",  # Maputo, a landline: a digit less than a mobile
    "+258841234567",
    "+5561999991234",
    "+556132123456",  # Brasília: an old landline's ten digits
    "+2389911234",
    "+2399812345",
    "+245955123456",
    "+351213456789",
    "+12025550100",
    "+79161234567",
    "+6834002",  # Niue, four digits
    "+6902000",  # Tokelau
    "+29022222",  # Saint Helena
    "+3906698",  # the Vatican's zeros after the calling code stay
    "+390236618300",
    "+493012345678901",  # fifteen digits
    "+442079460000",
    "+8613800138000",
    "+27821234567",
    "+264811234567",  # Namibia
    "+243812345678",
]
UNASSIGNABLE = [
    "",
    "+",
    "+12",
    "+24412",
    "+244",
    "+24499009099",
    "+2449900909900",
    "+244000000000",
    "+1234567",
    "+11234567890123",
    "+00000000",
    "+0244990090990",
    "244990090990",
    "+244 990 090 990",
    "+244990090990\n",
    "+2582112345",
    "+2582112345678",
    "+123456",
    "+4930123456789012345",
    "+٢٤٤٩٩٠٠٩٠٩٩٠",
]


@pytest.mark.parametrize("number", ASSIGNABLE)
def test_an_assignable_number_is_accepted(number: str) -> None:
    """Landlines, the shortest plans and the longest numbers among them."""
    assert is_assignable(number)


@pytest.mark.parametrize("number", UNASSIGNABLE)
def test_an_unassignable_number_is_refused(number: str) -> None:
    """Too short or long, without a calling code, of a length outside the plan, or not E.164."""
    assert not is_assignable(number)


def test_every_country_has_its_plan() -> None:
    """Its lengths include those of mobiles, and no calling code is a prefix of another one."""
    for code, lengths in COUNTRIES.values():
        assert lengths <= PLANS[code]
    for code in PLANS:
        assert [each for each in PLANS if each.startswith(code)] == [code]


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
