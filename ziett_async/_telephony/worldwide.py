"""Numbers of every country, as the `phonenumbers` library knows them, where it is installed.

Only this module imports it, when a number or country outside the own table is first asked for.
"""

from functools import cache

from ziett_async._extras import how_to_install

#: What a user installs for it.
EXTRA = how_to_install("phone")


@cache
def regions() -> frozenset[str]:
    """Return the two letters of each country that can be read; none without the library."""
    try:
        import phonenumbers  # noqa: PLC0415 - optional, and few programs need it
    except ModuleNotFoundError:
        return frozenset()
    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def find_number(text: str, country: str | None = None) -> tuple[str, bool] | None:
    """Return a number as E.164, and whether it is mobile; None if no network can assign it.

    `country` is that of numbers without a country code. A number of a plan in which mobile
    numbers and landlines look alike, as in North America, counts as mobile.
    """
    import phonenumbers  # noqa: PLC0415 - as above
    from phonenumbers import PhoneNumberType  # noqa: PLC0415 - as above

    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    mobile = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    return number, phonenumbers.number_type(parsed) in mobile
