"""Which digits of a text are a one-time code: for `last_code`, the control API and the inbox.

A code is 4 to 8 digits that stand alone, unless the words beside them, in Portuguese or English,
make them something else: an amount (`15000 Kz`, `saldo 15000`), a quantity (`2500 pessoas`), an
order or account number (`nº 10432`, `pedido 55123`, `ref. 8812`), the end of a card's number, a
phone number (`Apoio: 19192`), an address (`Rua 1234`), a date, a time. Four digits like a year,
and eight like a date, are a code only where a word such as `código` or `PIN` introduces them and
no other digits can be it. Two groups of three, `482-910`, are one where such a word introduces
them.
"""

import re
import unicodedata
from collections.abc import Sequence

import attrs

#: Digits that are not part of a word, an address, an amount, a date, a time or a longer number.
_DIGITS = re.compile(
    r"(?<![\w/+])(?<!\d[.,:\u2013\u00a0\u202f -])(?:\d{4,8}|\d{3}[\u00a0 -]\d{3})"
    r"(?!\w|[.,:/\u2013\u00a0\u202f -]\d|\s?%)"
)
#: How many characters before and after the digits count.
_REACH = 60

_WITHOUT_ACCENTS = str.maketrans("áàâãéêíóôõúüç", "aaaaeeiooouuc")

# The texts that these patterns see are in lower case and without accents.
_CREDENTIAL = r"pin|otp|m?tan|2fa|senha|token|passcode|password|palavra-passe"
_CODE_WORD = (
    rf"\b(?:codigos?|cod|codes?|{_CREDENTIAL}|chave"
    r"|verificacao|verification|confirmacao|confirmation|confirme|confirm|autenticacao|acesso"
    r"|login|activacao|ativacao|activation)\b"
)
_PURPOSE = (
    r"(?:acesso|acessar|aceder|access|entrar|log ?in|confirm(?:acao|ar|ation)?|verif(?:icacao|icar"
    r"|ication|y)|autenticacao|autenticar|seguranca|security|ac?tiv(?:acao|ar|ation|ate)"
    r"|levantamento|levantar|recolha|recolher|entrega|delivery|pick-?up|collect)"
)
_CURRENCY = (
    r"(?:kz|akz|aoa|kwanzas?|usd|us\$|r\$|\$|eur|euros?|€|gbp|£|brl|mzn|mt|meticais|cve|xof"
    r"|stn|zar)"
)
_NUMBERED = (
    r"(?:pedidos?|encomendas?|compras?|order|fac?tura|invoice|recibo|receipt|ref|referencia"
    r"|reference|ticket|bilhete|reserva|booking|reservation|processo|protocolo|contrato|contract"
    r"|conta|account|entidade|entity|cliente|customer|agencia|balcao|branch|lote|talao|transac?cao"
    r"|transaction|tracking|rastreio|guia|envio|shipment|parcel|apolice|policy|contador|meter|cartao|card"
    r"|voo|flight|sala|room|quarto|mesa|table|gabinete|cacifo|apartamento|apto|apartment|suite|nif|postal"
    r"|cep|zip(?: code)?|loja|shop|utente|paciente|patient|ordem"
    r"|(?<!codigo d[ae] )operac(?:ao|oes))"
)
_STREET = r"(?:rua|r\.|avenida|av\.?|travessa|largo|praca|praceta|bairro|estrada|alameda|rotunda)"
_HOTLINE = (
    r"(?:apoio|suporte|support|linha|line|helpline|hotline|ajuda|help|atendimento|assistencia"
    r"|assistance|care|call cent(?:er|re)|emergencias?|emergency|duvidas|info|informacoes)"
)
_MARK = r"(?:n\.?\s?[º°]\.?|n\.o\.?|no\.|num\.?|numero|number|id|#|№)"
_MONTH = r"(?:jan|feb|fev|mar|apr|abr|may|mai|jun|jul|aug|ago|sep|set|oct|out|nov|dec|dez)[a-z]*\.?"
_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d|[0-3]\d(?:0[1-9]|1[0-2])(?:19|20)\d\d")


def _before(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})$")


def _after(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})")


_MONEY_BEFORE = _before(
    rf"(?:(?<!\w)(?<!\d\s){_CURRENCY}\W{{0,2}}"
    r"|\b(?:saldo|valor|total|montante|preco|custo|custa|desconto|propina|mensalidade|renda|taxa|multa|amount|balance|price|costs?"
    r"|discount|pague|pagou|pay|paid)(?: (?:de|of|a pagar|e|is|atual|actual|disponivel))*\W{0,3})"
)
_QUANTITY_BEFORE = _before(
    r"\b(?:de|over|more than|up to|ate|desde|primeir[oa]s|first|somos|poupe|ganhe|save|win) "
)
_QUANTITY_AFTER = _after(
    rf"\s?(?:{_CURRENCY}(?![a-z])|(?:mil|milhoes|[kmg]b|utt|pontos|points|sms|mensagens|messages"
    r"|min|mins|minut[oe]s|segundos|seconds|h|hrs|horas|hours|dias|days|km|m|m?g|ml|kg|unidades|units|people)\b)"
)
# A word in the plural; the first ones end like one.
_COUNTED_AFTER = _after(
    r"\s(?!(?:expires|ends|lasts|stays|works|opens|unlocks|confirms|logs|antes|depois|apenas|mais"
    r"|always|unless|this)\b)[a-z]{3,}s\b"
)
_ORDER_BEFORE = _before(
    rf"\b{_NUMBERED}(?: (?:de|do|da|multicaixa|pagamento))*(?:\W{{0,3}}{_MARK})?\W{{0,3}}"
)
_PURPOSE_BEFORE = _before(
    rf"\b(?:(?:codigo|cod|code|{_CREDENTIAL})(?: (?:de|para|to|for))? {_PURPOSE}"
    rf"|{_PURPOSE} (?:code|{_CREDENTIAL}))\b[^.!?\n\d]{{0,40}}"
    rf"|\b(?:{_CREDENTIAL})\b[^.!?\n\d]{{0,40}}[:=]\s?"
)
_VALUE_AFTER = _after(r"[ :=]{1,3}(?:(?:e|is)[ :]{1,2})?\d{3}")
_ORDER_IS_BEFORE = _before(rf"\b{_NUMBERED}(?:\W{{0,3}}{_MARK})? (?:e|is)\W{{1,2}}")
# Android's SMS Retriever begins a text with `<#>`.
_MARK_BEFORE = _before(rf"(?<![\w<]){_MARK}\W{{0,2}}")
_ORDER_AFTER = _after(rf"\s(?:e|is) (?:[a-z]+ ){{0,4}}?{_NUMBERED}\b")
_PHONE_BEFORE = _before(
    r"\b(?:tel|telf|telefone|telemovel|phone|contacto|fax|call|ligue|ligar|dial|marque|disque)"
    r"(?: (?:para|to|o|us|on|numero|number|gratis|\d{3,9} (?:ou|or)))*\W{0,3}"
    r"|\b(?:envie|envia|sms|send|text|responda|reply)\b[^.!?\n]{0,30} (?:para|to)(?: o)?\s"
    rf"|(?<!codigo de )\b{_HOTLINE}(?: ao cliente)?[^\w.!\n]{{1,3}}|\b(?:stop|sair) (?:para |to )?"
    r"|\bcontacte-nos\W{1,3}"
)
_ADDRESS_BEFORE = _before(rf"(?<!\w){_STREET} (?:\d\d? de )?[^.!?:\n\d]{{0,30}}")
_ADDRESS_AFTER = _after(r"\s(?:[a-z]+ ){1,2}(?:street|st\.|avenue|ave\.?|road|rd\.?|boulevard)")
_CARD_BEFORE = _before(
    r"(?:\*{2,}|(?<!\w)x{2,}|•+|\.{2,}"
    r"|\b(?:final|terminad[oa]s?(?: em)?|end(?:ing|s)(?: in| with)?))\s?"
)
_DIALLED_BEFORE, _DIALLED_AFTER = _before(r"\*(?:\d+\*)?"), _after("#")
_HOUR_BEFORE = _before(r"\b(?:as|at|pelas|hora|time|before|after|until)[: ]\s?")
_YEAR_BEFORE = _before(
    r"\b(?:ano|year|em|in|de|of|ate|until|till|desde|since|antes|before|apos|after|feliz|happy"
    rf"|{_MONTH}(?: \d\d?(?:st|nd|rd|th)?)?,?) |©\s?"
)
_INTRODUCED_BEFORE = _before(rf"{_CODE_WORD}[^.!?\n\d]{{0,40}}|@\S+ #|\b[a-z]-")
_INTRODUCED_AFTER = _after(rf"[^.!?\n\d]{{1,40}}?{_CODE_WORD}")
_IS_CODE_AFTER = _after(
    rf"\W{{0,2}}(?:e|is) (?:o|a|the|your) (?:(?!{_NUMBERED}\b)[a-z]+ ){{0,2}}?{_CODE_WORD}"
)
# In an address on the web, `=` stands before what is no code.
_ASSIGNED_BEFORE, _CODE_ASSIGNED_BEFORE = _before("="), _before(rf"(?<![^\s(]){_CODE_WORD}=")
_CODE_MARK_BEFORE = _before(rf"(?:{_CODE_WORD}\W{{0,3}}|@\S+ ){_MARK}\W{{0,2}}")


@attrs.frozen
class _Candidate:
    """Digits of a text, and what is beside them, in lower case and without accents."""

    digits: str
    before: str
    after: str
    is_grouped: bool

    @classmethod
    def of(cls, match: re.Match[str]) -> "_Candidate":
        """Read what is beside digits that were found."""
        start, end = match.span()
        before = match.string[max(0, start - _REACH) : start]
        digits = re.sub(r"\D", "", match[0])
        is_grouped = digits != match[0]
        return cls(digits, _plain(before), _plain(match.string[end : end + _REACH]), is_grouped)

    @property
    def is_something_else(self) -> bool:
        """Whether what is beside them says that they are no code."""
        if _IS_CODE_AFTER.match(self.after):
            return False
        return (
            self._is_amount
            or self._numbers_a_thing
            or self._is_dialled
            or self._is_in_an_address
            or self._is_time
            or (self.is_grouped and not self.is_introduced)
        )

    @property
    def is_like_a_date(self) -> bool:
        """Whether they could be a year, or a date without separators."""
        return bool(_YEAR.fullmatch(self.digits) or _DAY.fullmatch(self.digits))

    @property
    def is_introduced(self) -> bool:
        """Whether a word for a code is beside them, or they are the whole text."""
        if not self.before.strip() and not self.after.strip():
            return True
        return bool(_INTRODUCED_BEFORE.search(self.before) or _INTRODUCED_AFTER.match(self.after))

    @property
    def _is_amount(self) -> bool:
        if _COUNTED_AFTER.match(self.after) and not _INTRODUCED_BEFORE.search(self.before):
            return True
        before = _MONEY_BEFORE.search(self.before) or _QUANTITY_BEFORE.search(self.before)
        return bool(before or _QUANTITY_AFTER.match(self.after))

    @property
    def _numbers_a_thing(self) -> bool:
        """Whether they are the number of an order, an account, a card."""
        before = self.before
        if _MARK_BEFORE.search(before):
            return not _CODE_MARK_BEFORE.search(before)
        if _CARD_BEFORE.search(before):
            return True
        if _ORDER_BEFORE.search(before):
            return not _PURPOSE_BEFORE.search(before) or bool(_VALUE_AFTER.match(self.after))
        if _ORDER_IS_BEFORE.search(before):
            return not re.search(_CODE_WORD, before)
        named = _ORDER_AFTER.match(self.after)
        return bool(named and not re.search(_CODE_WORD, named[0]))

    @property
    def _is_dialled(self) -> bool:
        """Whether they are a phone number, or part of a code to dial such as `*111*4321#`."""
        is_ussd = _DIALLED_BEFORE.search(self.before) and _DIALLED_AFTER.match(self.after)
        return bool(is_ussd or _PHONE_BEFORE.search(self.before))

    @property
    def _is_in_an_address(self) -> bool:
        """Whether they are the number of a house, or in an address on the web."""
        street = _ADDRESS_BEFORE.search(self.before)
        if street and not re.search(_CODE_WORD, street[0]):
            return True
        if _ASSIGNED_BEFORE.search(self.before):
            return not _CODE_ASSIGNED_BEFORE.search(self.before)
        return bool(_ADDRESS_AFTER.match(self.after))

    @property
    def _is_time(self) -> bool:
        """Whether they are a year in a date, or an hour without its colon."""
        if self.is_like_a_date and _YEAR_BEFORE.search(self.before):
            return True
        is_hour = re.fullmatch(r"(?:[01]\d|2[0-3])[0-5]\d", self.digits)
        return bool(is_hour and _HOUR_BEFORE.search(self.before))


def _plain(text: str) -> str:
    """Return a text in lower case and without the accents of Portuguese."""
    return unicodedata.normalize("NFC", text).lower().translate(_WITHOUT_ACCENTS)


def codes_in(content: str) -> Sequence[str]:
    """Return the distinct one-time codes in a text; Web OTP repeats it, `@shop.ao #482910`."""
    found = [_Candidate.of(match) for match in _DIGITS.finditer(content)]
    found = [each for each in found if not each.is_something_else]
    clear = [each for each in found if not each.is_like_a_date]
    found = clear or [each for each in found if each.is_introduced]
    return list(dict.fromkeys(each.digits for each in found))
