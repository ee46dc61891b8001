"""What a text costs in parts, and the same text in fewer."""

from ziett_async._telephony import sms
from ziett_async._telephony.sms import GsmText, SmsParts
from ziett_async._validation import Invalid
from ziett_async._validation import text as valid_text
from ziett_async.errors import InvalidRequest


def sms_parts(text: str) -> SmsParts:
    r"""Return in which alphabet and in how many parts a text travels; each part is billed.

    A text of the GSM alphabet has 160 septets in one part, 153 in each of several; any other
    has 70 or 67 units of UTF-16. `^ { } [ ] ~ | \ €` take two septets, most emoji two units.

    >>> sms_parts("Your code is 482910.")
    SmsParts(encoding='GSM-7', parts=1, units=20, units_left=140, not_gsm=())
    >>> sms_parts("Olá, o código é 482910 😀")
    SmsParts(encoding='UCS-2', parts=1, units=25, units_left=45, not_gsm=('á', 'ó', '😀'))

    An empty text, which the API refuses, counts one part.

    Raises:
        InvalidRequest: it is not a string, or holds half of a surrogate pair.

    """
    return sms.sms_parts(_checked("sms_parts", text))


def to_gsm(text: str) -> GsmText:
    """Replace characters outside the GSM alphabet by the nearest ones inside it.

    Accents that the alphabet lacks are taken off (`ã` is `a`, while `à é ù` stay), typographic
    quotes, dashes and spaces become plain ones, `…` three dots; characters without width go.
    What would change its value stays: fractions, superscripts, `º`, `№`, signs of currencies
    and of mathematics, and so do emoji and other scripts.

    >>> to_gsm("Não há “saldo”… até 1º de Março")
    GsmText(replaced={'ã': 'a', 'á': 'a', '“': '"', '”': '"', '…': '...', 'ç': 'c'})
    >>> to_gsm("São 1½ kg de maçãs").text
    'Sao 1½ kg de macas'

    The result never has more parts than the text, and a second call changes nothing. A text
    that would have more parts, since three dots are longer than `…`, is returned as it is.

    Raises:
        InvalidRequest: it is not a string, or holds half of a surrogate pair.

    """
    return sms.to_gsm(_checked("to_gsm", text))


def _checked(function: str, value: object) -> str:
    if isinstance(value, str) and not value:
        return ""
    try:
        return valid_text(value)
    except Invalid as invalid:
        raise InvalidRequest(function, {"text": str(invalid)}) from None
