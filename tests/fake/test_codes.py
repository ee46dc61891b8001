"""Which digits of a text are a one-time code: texts in Portuguese and English."""

import re
from collections.abc import Sequence

import pytest

from ziett_async._fake.codes import codes_in
from ziett_async.testing import FakeZiett

NUMBER = "+244990090990"

#: Texts with one code.
CODES = {
    # Alone, and introduced.
    "1234": "1234",
    "2031": "2031",
    "482910": "482910",
    "O seu código é 482910.": "482910",
    "CÓDIGO: 482910": "482910",
    "o co\N{COMBINING ACUTE ACCENT}digo 2031": "2031",
    "Código\n482910": "482910",
    "código (482910)": "482910",
    "código nº 482910": "482910",
    "Your code is 482910.": "482910",
    "*482910* é o seu código": "482910",
    "G-482910 is yours; never tell it. Call 923456789 or +244923456.": "482910",
    "FB-12345 is your code": "12345",
    "482910 is your code.\n\n@shop.ao #482910": "482910",
    "2031 is your code.\n\n@shop.ao #2031": "2031",
    "Seu código do WhatsApp: 482910": "482910",
    "Não envie este código para ninguém: 482910": "482910",
    "<#> 482910 is your code.\nFA+9qCX9VSu": "482910",
    "Reset your password with 739214, ends in 5 minutes": "739214",
    "Código: 482910, enviado às 18:30": "482910",
    # Beside amounts and quantities.
    "Pagamento de 15000 Kz. Código: 482910": "482910",
    "Pagamento de Kz 15.000,00. Código: 482910": "482910",
    "Pagou 15000 AOA. O PIN é 4829": "4829",
    "OTP para a compra de 25000,00 Kz: 482910": "482910",
    "Code to pay 25\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}AOA: 482910": "482910",
    "AOA 15000 debitados. Confirme com 482910.": "482910",
    "You pay 15000.00 Kz (2025-07-14): confirm with 0042.": "0042",
    "válido por 1440 minutos: 482910": "482910",
    # Beside the numbers of things.
    "A encomenda n.º 10432 foi enviada. Código 482910": "482910",
    "Use o código 482910 para o pedido 55123.": "482910",
    "O código do seu pedido é 482910.": "482910",
    "482910 é o código do seu pedido.": "482910",
    "A sua OTP é 739214. Não a partilhe. Ref 8812": "739214",
    "Cliente 12345678, a senha é 4829.": "4829",
    "Caro cliente, 482910 é o seu código.": "482910",
    "Caro cliente, 2031 é o seu código.": "2031",
    "Ana Shop: 482910 is your login code": "482910",
    "O pedido 55123 é o seu. Código 482910": "482910",
    "Cartão terminado em 4321: compra de 15000 Kz. Código 482910.": "482910",
    "Card **** 4321, OTP 112233": "112233",
    "See ziett.ao/99999 or order A12345. Your code, 482910": "482910",
    # Beside phone numbers.
    "Ligue 16132 se não foi você. Código 482910": "482910",
    "Call 12345678. Code 4829": "4829",
    "Envie STOP para 4242. Código 482910": "482910",
    # Beside years, dates and times, or like one.
    "Code:12345678, valid until 18:30 on 14/07/2025.": "12345678",
    "14 Jul 2025: OTP 4829": "4829",
    "Use 482910 until 2030": "482910",
    "O código é 2024. Válido até 2030.": "2024",
    "O código é válido até 2030: 482910": "482910",
    "PIN: 1987": "1987",
    "1987 é o seu PIN": "1987",
    "O seu código é 20250714": "20250714",
    "Reunião às 1830, código 482910": "482910",
    "Code 1830": "1830",
    "One time: 9930": "9930",
}

#: Texts whose digits are no code.
OTHER_DIGITS = [
    # Amounts and quantities.
    "O pagamento é de 15000 Kz.",
    "Kz 15.000,00",
    "Kz15000",
    "15000Kz",
    "15 000 Kz",
    "15000 AOA",
    "AOA 15000",
    "5000 kwanzas",
    "R$ 2500",
    "2500 €",
    "$2500",
    "2500$00 pagos",
    "Saldo: 15000. Obrigado.",
    "O seu saldo actual é 15000.",
    "Total a pagar: 15000",
    "Your balance is 15000",
    "Tem 5000 MB e 1200 UTT",
    "1000% melhor",
    # The numbers of things.
    "A sua encomenda nº 10432 foi enviada.",
    "O pedido 55123 está pronto.",
    "Pedido #55123 pronto",
    "ref. 8812",
    "nº 10432",
    "Referência de pagamento: 12345678, entidade 10116, montante 2500",
    "O número do seu pedido é 55123.",
    "55123 é o número do seu pedido.",
    "Your order number is 10432.",
    "Order no. 10432 has shipped.",
    "Invoice #2025",
    "cartão ****4321",
    "card ending in 4321",
    # Phone numbers, and what is dialled.
    "Reply STOP to 4242",
    "+244 923 456 789 ou 9234 56789",
    "1234 5678 9012 3456",
    "Ligue grátis para 12345678",
    "Marque *111*4321# para ver o saldo",
    "Dial *4321#",
    "Saldo por *111*4321#",
    # Years, dates and times.
    "Códigos válidos até 2030",
    "Feliz 2026!",
    "Bem-vindo a 2026",
    "© 2025 Loja",
    "14 de julho de 2025",
    "July 14, 2025",
    "2025/26",
    "20250714: cópia feita",
    "às 18:30:4500",
    "Vemo-nos às 1830",
    # Addresses.
    "https://x.ao/?c=482910",
    "ziett.ao/99999",
    "Sem algarismos.",
]

#: The naive rule: 4 to 8 digits, judged by the characters that touch them.
NAIVE = re.compile(r"(?<![\w/+])(?<!\d[.,-])\d{4,8}(?!\w|[.,/-]\d)")


def naive_codes(content: str) -> Sequence[str]:
    """Return the codes of the naive rule."""
    return list(dict.fromkeys(NAIVE.findall(content)))


@pytest.mark.parametrize("content", CODES)
def test_a_code_is_distinguished_from_other_digits(content: str) -> None:
    """From amounts, dates, times, and the numbers of phones and things; a repeat is one code."""
    fake = FakeZiett()
    fake.add_message(target_e164=NUMBER, content=content)
    assert fake.last_code(NUMBER) == CODES[content]


@pytest.mark.parametrize("content", OTHER_DIGITS)
def test_other_digits_are_no_code(content: str) -> None:
    """What is beside them says what they are."""
    assert codes_in(content) == []


def test_two_codes_are_both_returned() -> None:
    """In their order; a test that took one of them could take the wrong one."""
    assert codes_in("Use 482910 ou 739214, PIN 482910") == ["482910", "739214"]


def test_the_naive_rule_takes_amounts_and_order_numbers_for_codes() -> None:
    """The digits alone cannot say what they are."""
    taken = [content for content in OTHER_DIGITS if naive_codes(content)]
    ambiguous = [content for content, code in CODES.items() if naive_codes(content) != [code]]
    assert {"nº 10432", "O pagamento é de 15000 Kz.", "ref. 8812", "Feliz 2026!"} <= set(taken)
    assert "Pagamento de 15000 Kz. Código: 482910" in ambiguous
