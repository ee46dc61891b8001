"""Telephone numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._telephony.phone import COUNTRIES, is_e164, to_e164

ANGOLAN = "+244923456789"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+244990090990", True),
        ("+1234567", True),
        ("+123456789012345", True),
        ("+123456", False),
        ("+1234567890123456", False),
        ("+0244990090990", False),
        ("244990090990", False),
        ("+244 990 090 990", False),
        ("++244990090990", False),
        ("+244990090990\n", False),
        ("\n+244990090990", False),
        ("+٢٤٤٩٩٠٠٩٠٩٩٠", False),
        ("+2٤٤990090990", False),
        ("", False),
        ("+", False),
    ],
)
def test_what_is_e164(text: str, *, expected: bool) -> None:
    """A plus, a digit that is not zero and 6 to 14 more, all ASCII, and nothing else."""
    assert is_e164(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "923 456 789",
        "923456789",
        "923-456-789",
        "923.456.789",
        "923/456/789",
        "(923) 456 789",
        "0923456789",
        "0923 456 789",
        "244923456789",
        "244 923 456 789",
        "+244923456789",
        "+244 923 456 789",
        "(+244) 923-456-789",
        "00244923456789",
        "00244 923 456 789",
        "0 0244 923 456 789",
        " 923456789\n",
        "923\u00a0456\u202f789",
    ],
)
def test_every_usual_form_of_a_number_is_read(text: str) -> None:
    """Local, with a trunk zero, with the country's code, and with a plus: the same number."""
    assert to_e164(text, "AO") == ANGOLAN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "00",
        "123",
        "92345678",
        "092345678",
        "9234567890",
        "0244923456789",
        "24492345678",
        "351912345678",
        "923 456 78a",
        "923456789 ext 5",
        "9२3456789",
        "٩٢٣٤٥٦٧٨٩",
        "²23456789",
        "+٢٤٤٩٢٣٤٥٦٧٨٩",
        "+244+923456789",
        "244+923456789",
        "+0923456789",
        "Ana",
    ],
)
def test_what_is_no_number_is_not_guessed(text: str) -> None:
    """Too short, too long, letters, other digits, another country without a plus: None."""
    assert to_e164(text, "AO") is None


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("912 345 678", "PT", "+351912345678"),
        ("351912345678", "PT", "+351912345678"),
        ("11 98765-4321", "BR", "+5511987654321"),
        ("(011) 98765-4321", "BR", "+5511987654321"),
        ("11 3456-7890", "BR", "+551134567890"),
        # Area code 55, which is also the country's.
        ("55 3456-7890", "BR", "+555534567890"),
        ("55 55 3456-7890", "BR", "+555534567890"),
        ("991 12 34", "CV", "+2389911234"),
        ("238 991 12 34", "CV", "+2389911234"),
        ("955 123 456", "GW", "+245955123456"),
        ("84 123 4567", "MZ", "+258841234567"),
        ("990 1234", "ST", "+2399901234"),
        ("+1 650-253-0000", "AO", "+16502530000"),
        ("00351912345678", "AO", "+351912345678"),
    ],
)
def test_each_country_has_its_lengths(text: str, country: str, number: str) -> None:
    """The country decides how a local number is read, and nothing about one with a plus."""
    assert to_e164(text, country) == number


@pytest.mark.parametrize("country", ["US", "ao", ""])
def test_the_local_numbers_of_other_countries_are_not_read(country: str) -> None:
    """Without a table only a number with its country code can be read."""
    assert to_e164("923456789", country) is None
    assert to_e164("+244 923 456 789", country) == ANGOLAN


DIALLED = st.text("+0123456789 .-()/") | st.from_regex(r"(00|\+)?(244|55|0)?[0-9 ]{7,12}")


@given(DIALLED | st.text(), st.sampled_from([*COUNTRIES, "US"]))
def test_the_result_is_e164_or_none(text: str, country: str) -> None:
    """Whatever is written, what comes out can be sent to, and reads as itself again."""
    number = to_e164(text, country)
    if number is not None:
        assert is_e164(number)
        assert number.isascii()
        assert all(to_e164(number, other) == number for other in COUNTRIES)


#: ITU-T E.164 national numbering plans: calling code, and digits after it.
PLANS = {
    "AO": ("244", [9]),
    "BR": ("55", [10, 11]),
    "CV": ("238", [7]),
    "GW": ("245", [9]),
    "MZ": ("258", [9]),
    "PT": ("351", [9]),
    "ST": ("239", [7]),
}


@given(st.sampled_from(sorted(PLANS)), st.data())
def test_every_form_of_a_local_number_is_the_same(country: str, data: st.DataObject) -> None:
    """For each country the four forms of a number, however spaced, agree."""
    code, lengths = PLANS[country]
    length = data.draw(st.sampled_from(lengths))
    national = data.draw(st.from_regex(rf"[1-9][0-9]{{{length - 1}}}", fullmatch=True))
    spaces = data.draw(st.lists(st.sampled_from(" .-"), min_size=length, max_size=length))
    spaced = "".join(a + b for a, b in zip(national, spaces, strict=True))
    for prefix in ("", "0", f"+{code}", f"00{code}"):
        assert to_e164(prefix + spaced, country) == f"+{code}{national}"


def test_the_countries_are_those_of_the_plans() -> None:
    """Every country whose local numbers are read has its plan above."""
    assert set(COUNTRIES) == set(PLANS)


def test_a_trunk_zero_in_brackets_is_not_dialled() -> None:
    """`+244 (0) 923 456 789` is how some write it for both kinds of callers."""
    assert to_e164("+244 (0) 923 456 789", "AO") == "+244923456789"
