"""One number as a person wrote it, to E.164."""

from ziett_async import _validation as check
from ziett_async._telephony.reading import NotANumber, read_typed
from ziett_async._validation import Fields, Invalid


def normalize_number(text: str, country: str | None = None) -> str:
    """Return a telephone number, in whatever form it is written, as E.164.

    Read are local numbers (`923 456 789`), with a trunk zero (`0923456789`), with the country
    code (`244923456789`, `00244 923...`, `+244 (0) 923...`), with any spaces, hyphens, dots,
    brackets and invisible marks, and `tel:` links. What could be two numbers is refused.

    Args:
        text: the number.
        country: two letters, that of numbers without a country code: `AO`, `BR`, `CV`, `GW`,
            `MZ`, `PT`, `ST`; any other one takes the extra `[phone]`. None reads only numbers
            with a country code. A number of any other country has to have the form of E.164;
            where the extra is installed, it also has to be one that its country has assigned.

    Raises:
        InvalidRequest: it is no number; `fields["text"]` has the reason, or
            `fields["country"]` what is wrong with the country. Neither shows the number.

    >>> normalize_number("0923 456 789", "AO"), normalize_number("+244 (0) 923-456-789")
    ('+244923456789', '+244923456789')
    """
    fields = Fields("normalize_number")
    if country is not None:
        fields.check("country", check.home_country, country)
        fields.raise_if_invalid()
    number = fields.check("text", _number, text, country)
    fields.raise_if_invalid()
    return str(number)


def _number(value: object, country: str | None) -> str:
    try:
        number, _ = read_typed(check.text(value), country)
    except NotANumber as refused:
        raise Invalid(str(refused)) from None
    return number
