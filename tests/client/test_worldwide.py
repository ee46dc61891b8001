"""Numbers of other countries, with the `phonenumbers` library and without it."""

import pytest

from tests.support.interpreter import run
from ziett_async._telephony.worldwide import find_number, regions

#: In a program, this is as good as not having it.
WITHOUT_IT = 'import sys; sys.modules["phonenumbers"] = None\n'


def test_every_country_is_known() -> None:
    """By its two letters."""
    assert {"AO", "GB", "US", "NU"} <= regions()
    assert "XX" not in regions()


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [
        ("07911123456", "GB", ("+447911123456", True)),
        ("+447911123456", None, ("+447911123456", True)),
        ("02079460000", "GB", ("+442079460000", False)),
        # Mobile numbers and landlines look alike.
        ("2025550123", "US", ("+12025550123", True)),
        ("079111", "GB", None),
        ("+999123456789", None, None),
        ("1", "GB", None),
    ],
)
def test_a_number_is_found_or_not(
    text: str, country: str | None, found: tuple[str, bool] | None
) -> None:
    """As E.164, with whether it is mobile."""
    assert find_number(text, country) == found


def test_without_the_library_seven_countries_are_read() -> None:
    """And foreign numbers with their country code by their form; whether mobile is not known."""
    code = """
from ziett_async import AsyncZiett, normalize_number, prepare_recipients
rows = ["923 456 789", "222123456", "+44 7911 123456", "+442079460000", "+4479", "0791112"]
audience = prepare_recipients(rows, country="AO")
print(*[each.number for each in audience.accepted])
print(*[f"{each.row} {each.reason}" for each in audience.rejected], sep=", ")
print(normalize_number("+44 (0)20 7946 0000"))
"""
    assert run(WITHOUT_IT + code) == [
        "+244923456789 +447911123456 +442079460000",
        "1 not_mobile, 4 invalid, 5 invalid",
        "+442079460000",
    ]


def test_without_the_library_another_country_is_refused_with_what_to_install() -> None:
    """As an argument of the functions and of the client."""
    code = """
from ziett_async import AsyncZiett, ZiettError, normalize_number, prepare_recipients
from ziett_async._telephony.reading import NotANumber, read_number
for call in (
    lambda: normalize_number("07911 123456", "GB"),
    lambda: prepare_recipients([], country="GB"),
    lambda: AsyncZiett("zk_test_x", default_country="GB"),
    lambda: read_number("07911 123456", "GB"),
):
    try:
        call()
    except (ZiettError, NotANumber) as error:
        print(type(error).__name__, error)
"""
    must = "must be one of AO, BR, CV, GW, MZ, PT, ST; another country needs an extra"
    install = "python -m pip install '.[phone]' in the clone"
    assert run(WITHOUT_IT + code) == [
        f"InvalidRequest normalize_number: country: {must}: {install}",
        f"InvalidRequest prepare_recipients: country: {must}: {install}",
        f"ConfigurationError default_country: {must}: {install}",
        f"NotANumber needs an extra for its country: {install}",
    ]


def test_the_library_is_imported_for_what_needs_it() -> None:
    """Neither the package nor the seven countries' numbers do."""
    code = """
import sys
import ziett_async
print("ziett_async.bulk.recipients" in sys.modules)
ziett_async.prepare_recipients(["923456789", "+351 912345678"], country="AO")
ziett_async.AsyncZiett("zk_test_x", default_country="AO", allowed_recipients=["+447911123456"])
print("phonenumbers" in sys.modules)
ziett_async.prepare_recipients(["+447911123456"])
print("phonenumbers" in sys.modules)
"""
    assert run("import warnings; warnings.simplefilter('ignore')" + code) == [
        "False",
        "False",
        "True",
    ]
