"""E.164, and the numbering plans: lengths, and which numbers are mobile."""

import pytest

from ziett_async._telephony.phone import (
    COUNTRIES,
    PLANS,
    is_assignable,
    is_e164,
    is_mobile,
    plan_of,
)


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
    """By its calling code, which is no prefix of another one, so that at most one applies."""
    assert len({plan.calling_code for plan in COUNTRIES.values()}) == len(COUNTRIES)
    for plan in COUNTRIES.values():
        assert PLANS[plan.calling_code] is plan
        assert plan.mobile is not None
    for code, plan in PLANS.items():
        assert plan.calling_code == code
        assert plan_of(f"+{code}23456789") is plan
        assert [each for each in PLANS if each.startswith(code)] == [code]


def test_no_number_is_as_long_as_another_one_with_its_calling_code() -> None:
    """So digits without a plus are a local number or one with its calling code, never both."""
    for plan in COUNTRIES.values():
        assert not {len(plan.calling_code) + each for each in plan.lengths} & {*plan.lengths}


#: Per country: numbers of each mobile range, and numbers that are not mobile.
MOBILE = {
    "AO": ("91 92 93 94 95 96 97 99", "222123456 981234567 901234567 912345678x"),
    "BR": ("11987654321 99912345678 55987654321", "1134567890 11887654321 1187654321 20987654321"),
    "CV": ("9911234 5111234 5911234 3601234", "2211234 5011234 5401234 8001234"),
    "GW": ("955012345 966123456 977123456", "443201234 971123456 961123456"),
    "MZ": ("821234567 831234567 841234567 851234567 861234567 871234567", "21123456 801234567"),
    "PT": ("911234567 921234567 931234567 961234567 948012345", "212345678 947123456 808123456"),
    "ST": ("9801234 9901234 9051234 9005234", "2221234 9001234 9101234"),
}
CASES = [
    *[(f"+244{prefix}1234567", True) for prefix in MOBILE["AO"][0].split()],
    *[
        (f"+{COUNTRIES[country].calling_code}{number}", True)
        for country, (mobile, _) in MOBILE.items()
        for number in mobile.split()
        if country != "AO"
    ],
    *[
        (f"+{COUNTRIES[country].calling_code}{number}", False)
        for country, (_, others) in MOBILE.items()
        for number in others.split()
    ],
    ("+244990090990", True),
    ("+442079460000", None),
    ("+12025550100", None),
    ("+79161234567", None),
]


@pytest.mark.parametrize(("number", "mobile"), CASES)
def test_which_numbers_are_mobile(number: str, mobile: bool | None) -> None:  # noqa: FBT001
    """In the seven countries every number is or is not; of others it is not known."""
    assert is_mobile(number) is mobile


def test_every_country_has_mobile_numbers() -> None:
    """None of the seven is left out above."""
    assert set(MOBILE) == set(COUNTRIES)
