"""Reading telephone numbers as people and spreadsheets write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._telephony.phone import COUNTRIES, is_assignable, is_e164
from ziett_async._telephony.reading import NotANumber, read_number, read_typed, to_e164

ANGOLAN = "+244923456789"


@pytest.mark.parametrize(
    "text",
    [
        "923 456 789",
        "923456789",
        "923-456-789",
        "923.456.789",
        "923/456/789",
        "(923) 456 789",
        "[923] 456~789",
        "0923456789",
        "0923 456 789",
        "(0) 923 456 789",
        "244923456789",
        "244 923 456 789",
        "2440923456789",
        "+244923456789",
        "+244 923 456 789",
        "+244 0923 456 789",
        "+244 (0) 923 456 789",
        "+244(0)923456789",
        "+244 [0] 923 456 789",
        "(+244) 923-456-789",
        "(+244) (0) 923-456-789",
        "+(244) 923 456 789",
        "00244923456789",
        "00244 923 456 789",
        "(00244) 923 456 789",
        "00 244 (0) 923 456 789",
        "0 0244 923 456 789",
        " 923456789\n",
        "923\u00a0456\u202f789",
        "923\u2011456\u2013789",
        "923\u2212456\u2212789",
    ],
)
def test_every_usual_form_of_a_number_is_read(text: str) -> None:
    """Local, with a trunk zero, with the country's code, with a plus: the same number."""
    assert read_number(text, "AO") == ANGOLAN


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u202a+244 923 456 789\u202c", id="embedded left to right"),
        pytest.param("\u2066923456789\u2069", id="isolated left to right"),
        pytest.param("\u200e923 456 789\u200f", id="direction marks"),
        pytest.param("\ufeff923456789", id="byte order mark"),
        pytest.param("923\u200b456\u2060789", id="zero width"),
        pytest.param("923\u00ad456\u00ad789", id="soft hyphens"),
        pytest.param("\uff19\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19", id="full width"),
        pytest.param("\uff0b244\uff08\uff10\uff09923\uff0d456\uff0e789", id="full width signs"),
        pytest.param("\u0669\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", id="Arabic"),
        pytest.param("\u096f\u0968\u0969 456 789", id="Devanagari"),
        pytest.param("tel:+244-923-456-789", id="link"),
        pytest.param("TEL:923456789", id="link in capitals"),
        pytest.param("Tel.: 923 456 789", id="label"),
        pytest.param("'0923456789", id="apostrophe"),
        pytest.param("\u2019923456789", id="typographic apostrophe"),
        pytest.param("923456789.0", id="float"),
        pytest.param("244923456789.00", id="float with the country's code"),
        pytest.param("+244923456789.0", id="float with a plus"),
        pytest.param("923456789,00", id="float with a comma"),
        pytest.param("\u202a'923456789.0\u202c ", id="float with marks"),
    ],
)
def test_what_programs_make_of_a_number_is_read(text: str) -> None:
    """Contact apps, keyboards, web pages and spreadsheets add their marks."""
    assert read_number(text, "AO") == ANGOLAN


LETTERS = "holds letters or signs that are no part of a number"
TWO = "has a plus that is not in front; are these two numbers?"
SPREADSHEET = "is in a spreadsheet's scientific notation, which loses digits; make it text there"
EXTENSION = "has an extension, which an SMS cannot reach; give the number alone"
DECIMALS = "is not a whole number, as if a spreadsheet had computed with it"
MINUS = "begins with a minus, as if a spreadsheet had computed with it"
LONG = "; is it a foreign one without its plus, or are these two numbers?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \t\u200e", "is empty"),
        ("-", "is empty"),
        ("tel:", "is empty"),
        ("+", "holds no number"),
        ("00", "holds no number"),
        ("000 000 000", "holds no number"),
        ("Ana", "holds no number"),
        ("#REF!", "holds no number"),
        ("n/a", "holds no number"),
        ("+12", "has 1 digit where a number of +1 has 10"),
        ("123", "has 3 digits where a number of AO has 9"),
        ("92345678", "has 8 digits where a number of AO has 9"),
        ("092345678", "has 8 digits where a number of AO has 9"),
        ("9234567890", f"has 10 digits where a number of AO has 9{LONG}"),
        ("923456789 / 912345678", f"has 18 digits where a number of AO has 9{LONG}"),
        ("0244923456789", f"has 12 digits where a number of AO has 9{LONG}"),
        ("351912345678", f"has 12 digits where a number of AO has 9{LONG}"),
        ("24492345678", "has 8 digits where a number of +244 has 9"),
        ("+24492345678", "has 8 digits where a number of +244 has 9"),
        ("+25821", "has 2 digits where a number of +258 has 8 or 9"),
        ("+1 202 555 010", "has 9 digits where a number of +1 has 10"),
        ("+244 00 2345 6789", "begins with too many zeros for a number of +244"),
        ("+0923456789", "has a zero after the plus; no country code begins with one"),
        ("00 0923456789", "has a zero after the plus; no country code begins with one"),
        ("+44 79", "has 4 digits with its country code, and not 7 to 15"),
        ("+44 7911 123456 7911 123456", "has 22 digits with its country code, and not 7 to 15"),
        ("9.23456789E8", SPREADSHEET),
        ("9,23E+08", SPREADSHEET),
        ("2.44923E+11", SPREADSHEET),
        ("'9E8", SPREADSHEET),
        ("923456789.5", DECIMALS),
        ("'92345678,25", DECIMALS),
        ("-923456545", MINUS),
        (" - 923456545", MINUS),
        ("'-923456545", MINUS),
        ("\u2212923456545", MINUS),
        ("923456789 ext 5", EXTENSION),
        ("923456789x5", EXTENSION),
        ("923456789 ramal: 12", EXTENSION),
        ("tel:+244923456789;ext=5", EXTENSION),
        ("923456789#5", EXTENSION),
        ("923 456 78a", LETTERS),
        ("casa 923456789", LETTERS),
        ("\u00b223456789", LETTERS),
        ("923,456,789", LETTERS),
        ("923456789\x00", LETTERS),
        ("923456789;912345678", LETTERS),
        ("+244+923456789", TWO),
        ("244+923456789", TWO),
        ("++244923456789", TWO),
        ("923456789+", TWO),
        ("+244923456789 +244912345678", TWO),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str, reason: str) -> None:
    """A sentence that says what is wrong; it never shows the number."""
    with pytest.raises(NotANumber) as caught:
        read_number(text, "AO")
    assert str(caught.value).startswith(reason)
    assert to_e164(text, "AO") is None


@pytest.mark.parametrize(
    "text",
    [
        "1" * 10**6,
        "1" * 10**6 + "x",
        "+1" * 10**6,
        "1x " * 10**6,
        "1E1 " * 10**6,
        "1234567.0 " * 10**6,
        "(0)" * 10**6 + "-",
        "'" * 10**6,
        " " * 10**6,
        "-" * 10**6 + "1",
        "\u0661\u200b" * 10**5,
    ],
    ids=range(11),
)
def test_a_long_text_is_refused_in_time(text: str) -> None:
    """A field of a form may hold anything: no pattern needs time that grows with its square."""
    assert to_e164(text, "AO") is None


def test_a_number_without_country_code_needs_a_country() -> None:
    """Without one, it is not guessed which country is meant."""
    with pytest.raises(NotANumber, match="has no country code; write it like "):
        read_number("923456789")
    assert read_number("00244 923 456 789") == ANGOLAN


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("912 345 678", "PT", "+351912345678"),
        ("351912345678", "PT", "+351912345678"),
        ("11 98765-4321", "BR", "+5511987654321"),
        # With one digit more, it would be another person's mobile number.
        ("1198765432.0", "BR", "+551198765432"),
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
    assert read_number(text, country) == number


@pytest.mark.parametrize("country", ["US", "ao", ""])
def test_the_local_numbers_of_other_countries_are_not_read(country: str) -> None:
    """Without a table only a number with its country code can be read."""
    assert to_e164("923456789", country) is None
    assert to_e164("+244 923 456 789", country) == ANGOLAN


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("0044 (0)20 7946 0000", "+442079460000"),
        ("+49 (0) 30 12345678", "+493012345678"),
        ("+39 (0)6 69812345", "+390669812345"),
        ("+225 (0)1 23 45 67 89", "+2250123456789"),
        ("+7 (0) 916 123 45 67", "+79161234567"),
    ],
)
def test_a_foreign_zero_in_brackets_is_dropped_where_it_is_not_dialled(
    text: str, number: str
) -> None:
    """Italy's numbers and some others' keep it."""
    assert read_number(text, "AO") == number


def test_an_e164_number_is_read_as_itself() -> None:
    """The same object: what is right already costs nothing."""
    for number in (ANGOLAN, "+442079460000", "+683400211"):
        assert read_number(number, "AO") == number


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("020 7946 0000", "GB", "+442079460000"),
        ("+44 020 7946 0000", "GB", "+442079460000"),
        ("+1 202-555-0123", "US", "+12025550123"),
        ("8 916 123-45-67", "RU", "+79161234567"),
        ("+7 8 916 123-45-67", "RU", "+79161234567"),
        # The seven have their own rules in every country.
        ("+244 (0) 923 456 789", "GB", ANGOLAN),
        ("00244 0923 456 789", "GB", ANGOLAN),
    ],
)
def test_a_country_outside_the_table_is_read_by_the_library(
    text: str, country: str, number: str
) -> None:
    """Its local numbers, and foreign ones."""
    assert read_number(text, country) == number
    assert to_e164(text, country) == number


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_otherwise_a_foreign_number_is_taken_by_its_form(country: str | None) -> None:
    """So that a client sends the same, whatever else is installed; this one is not assigned."""
    assert read_number("+44 7911 1234", country) == "+4479111234"


def test_what_is_known_of_a_number() -> None:
    """Mobile or not; the library says it of the countries that have no table here."""
    assert read_typed("923 456 789", "AO") == (ANGOLAN, True)
    assert read_typed("222 123 456", "AO") == ("+244222123456", False)
    # A length of the plan, in no range: the table here decides for its countries.
    assert read_typed("11 8765-4321", "BR") == ("+551187654321", False)
    assert read_typed("+44 7911 123456", "AO") == ("+447911123456", True)
    assert read_typed("+44 20 7946 0000", "AO") == ("+442079460000", False)


NATIONAL = st.sampled_from(sorted(COUNTRIES)).flatmap(
    lambda country: st.tuples(
        st.just(country),
        st.sampled_from(sorted(COUNTRIES[country].lengths)).flatmap(
            lambda length: st.from_regex(rf"[1-9][0-9]{{{length - 1}}}", fullmatch=True)
        ),
    )
)
#: Without dots: before the last one or two digits, one makes a float of them.
MARKS = st.text(" -/\u00a0\u200b\u200e\u2011\u202a\u202c", max_size=2)
#: From zero, the digits of a script.
ZEROS = st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xFF10])


@given(NATIONAL, ZEROS, st.data())
def test_every_spelling_of_a_number_is_the_same_number(
    number: tuple[str, str], zero: int, data: st.DataObject
) -> None:
    """All forms of the number, in any script, with any marks between digits."""
    country, national = number
    code = COUNTRIES[country].calling_code
    prefixes = ["", "0", "(0)", f"+{code}", f"00{code}", f"{code}", f"+{code}0", f"+{code}(0)"]
    prefix = data.draw(st.sampled_from([*prefixes, f"(+{code})", f"00{code}(0)", f"tel:+{code}"]))
    script = str.maketrans({str(digit): chr(zero + digit) for digit in range(10)})
    marked = national[0] + "".join(data.draw(MARKS) + digit for digit in national[1:])
    text = data.draw(st.sampled_from(["", " ", "'", "\u202a"])) + prefix + marked
    assert read_number(text.translate(script), country) == f"+{code}{national}"


DIALLED = st.text("+0123456789 .-()/") | st.from_regex(r"(00|\+)?(244|55|0)?[0-9 ]{7,12}")


@given(DIALLED | st.text(), st.sampled_from([None, *COUNTRIES]))
def test_the_result_is_a_number_that_reads_as_itself(text: str, country: str | None) -> None:
    """Whatever is written: it is E.164, of a length in its plan; or refused, in words."""
    try:
        number = read_number(text, country)
    except NotANumber:
        return
    assert is_e164(number)
    assert is_assignable(number)
    assert number.isascii()
    assert {read_number(number, other) for other in (None, *COUNTRIES)} == {number}
