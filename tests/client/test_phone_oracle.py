"""The seven countries against Google's libphonenumber, as its Python port has it.

Both are compared over every range of each country, in every length. Where they differ stands
below, as data, with the reason; a difference that is not there fails, and so does one
that is there and no longer found.
"""

import re
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from ziett_async._telephony.phone import COUNTRIES, is_assignable, is_mobile
from ziett_async._telephony.reading import to_e164

#: Country, digits after the calling code, what only the library takes for mobile, and why it is
#: not mobile here.
ONLY_THERE_MOBILE = [
    ("BR", r"[1-9]{2}7[0-9]{7}", "the trunked radio of Nextel, switched off in 2018"),
    ("PT", r"(16|6)[0-9]+", "cards in machines, which no person reads"),
]
#: What only the library takes for a number.
ONLY_THERE_VALID = [
    ("BR", r"[0-9]{8,9}", "service numbers (4004 1234, 0800 123 456), which get no SMS"),
    ("GW", r"40[0-9]{5}", "numbers of a telephony over IP, which get no SMS"),
]


def ranges(country: str) -> Iterator[str]:
    """Return a number of each range, without its calling code.

    A range is four digits in the lengths of the plan, and three in all other lengths.
    """
    for length in range(6, 12):
        digits = 4 if length in COUNTRIES[country].lengths else 3
        for prefix in range(10 ** (digits - 1), 10**digits):
            yield f"{prefix}23456789"[:length]


def library(number: str) -> tuple[bool, bool]:
    """Return whether the library takes a number for valid, and for mobile."""
    parsed = phonenumbers.parse(number)
    mobile = phonenumbers.number_type(parsed) == PhoneNumberType.MOBILE
    return phonenumbers.is_valid_number(parsed), mobile


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_plans_agree_with_the_library(country: str) -> None:
    """What is mobile here is mobile there, and what is valid there has a length of the plan."""
    code = COUNTRIES[country].calling_code
    mobile_there = [re.compile(p) for c, p, _ in ONLY_THERE_MOBILE if c == country]
    valid_there = [re.compile(p) for c, p, _ in ONLY_THERE_VALID if c == country]
    found = set[str]()
    for national in ranges(country):
        number = f"+{code}{national}"
        valid, mobile = library(number)
        if is_mobile(number) != mobile:
            found.add(national)
            assert mobile, national
            assert any(each.fullmatch(national) for each in mobile_there), national
        if valid and not is_assignable(number):
            found.add(national)
            assert any(each.fullmatch(national) for each in valid_there), national
    for each in (*mobile_there, *valid_there):
        assert any(each.fullmatch(national) for national in found)


#: Texts with their country, what they are here and there, and why the two differ.
SPELLINGS = [
    ("0923456789", "AO", "+244923456789", None, "Angola has no trunk zero, and people write it"),
    ("+244 (0) 923 456 789", "AO", "+244923456789", None, "the same, for callers from abroad"),
    ("+244 0923 456 789", "AO", "+244923456789", None, "the same"),
    ("00244 (0) 923 456 789", "AO", "+244923456789", None, "the same"),
    ("2440923456789", "AO", "+244923456789", None, "the same"),
    ("923456789.0", "AO", "+244923456789", None, "a float of a spreadsheet"),
    ("0055 11 98765 4321", "BR", "+5511987654321", None, "there a carrier's code follows the 00"),
    ("00238 991 12 34", "CV", "+2389911234", None, "there 0 alone goes abroad, in the library"),
    ("+244 923 456 789 ext 5", "AO", None, "+244923456789", "an SMS reaches no extension"),
    ("tel:+244923456789;ext=5", "AO", None, "+244923456789", "the same"),
    ("AO 923 456 789", "AO", None, "+244923456789", "letters: it may be a note"),
    ("021 11 98765-4321", "BR", None, "+5511987654321", "a carrier's code, only for calls"),
    ("11 8765-4321", "BR", "+551187654321", None, "a length of the plan, in no range: no mobile"),
    ("101 234 567", "AO", "+244101234567", None, "the same"),
]


def there(text: str, country: str) -> str | None:
    """Return a number as the library reads it."""
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if valid else None


@pytest.mark.parametrize(("text", "country", "ours", "theirs", "why"), SPELLINGS)
def test_where_reading_differs_from_the_library(
    text: str, country: str, ours: str | None, theirs: str | None, why: str
) -> None:
    """Each known difference is there, and has its reason."""
    assert to_e164(text, country) == ours
    assert there(text, country) == theirs
    assert why


#: Forms that both read.
FORMS = ["{n}", "+{c}{n}", "00{c}{n}", "{c}{n}", "+{c} {n}", "(+{c}) {n}", "tel:+{c}-{n}"]


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("form", FORMS)
def test_usual_spellings_are_read_as_the_library_reads_them(country: str, form: str) -> None:
    """The library's own examples of mobile numbers and landlines, in each form."""
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(country, kind)
        assert example is not None
        national = str(example.national_number)
        text = form.format(n=national, c=example.country_code)
        expected = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        assert to_e164(text, country) == expected
        if not (country in {"BR", "CV"} and form.startswith("00")):  # see SPELLINGS
            assert there(text, country) == expected
