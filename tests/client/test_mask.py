"""What may be shown of numbers, keys and texts."""

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ziett_async._mask import Mask, masked_number
from ziett_async.models import ChannelType

BODY = {
    "target_e164": "+244990090990",
    "content": "Ana, dial +244990090990 about the loan",
    "channel_type": "SMS",
    "copy_to": "912-345-678",
    "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
    "save_contact": {"name": "Ana Domingos", "tags": ["Premium", "VIP"]},
}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+244990090990", "+244*****0990"),
        ("+123456789012345", "+123********2345"),
        ("+2389911234", "+23*****234"),
        ("+1234567", "+1****67"),
        ("112", "1*2"),
        ("11", "**"),
        ("", ""),
    ],
)
def test_a_number_can_be_told_but_not_dialled(number: str, shown: str) -> None:
    """Both ends are shown and the middle is not, in short numbers as in long ones."""
    assert masked_number(number) == shown


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_third_of_a_number_is_never_shown(number: str) -> None:
    """What is left out is at least a third of it, so it cannot be guessed by a few calls."""
    shown = masked_number(number)
    assert len(shown) == len(number)
    assert shown.count("*") >= len(number) / 3
    assert all(a in {"*", b} for a, b in zip(shown, number, strict=True))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide", "nothing to hide"),
        ("", ""),
        ("+244990090990 is invalid", "*** is invalid"),
        ("to +244 990 090 990.", "to ***."),
        ("to +244-990.090-990!", "to ***!"),
        ("244990090990 is invalid", "*** is invalid"),
        ("(923456789)", "(***)"),
        ("to 244 990 090 990", "to ***"),
        ("to +244(990)090990", "to ***"),
        ("use a key that begins with zk_test_", None),
        ("zk_test_ or zk_live_", None),
        ("key zk_live_51H8x was revoked", "key *** was revoked"),
        ("key zk%5Flive%5F51H8x was revoked", "key *** was revoked"),
        ("%2B244990090990 is invalid", "*** is invalid"),
        ("%252b244%20990%20090%20990 is invalid", "*** is invalid"),
        ("tel244990090990x is invalid", "tel***x is invalid"),
        ("tel:244-990-090-990;", "tel:***;"),
        ("+244/990/090_990 is invalid", "*** is invalid"),
        ("244 990 090 990 at 2025-07-14T10:30:00+00:00", "*** at 2025-07-14T10:30:00+00:00"),
        ("balance 985000.000000 is below 1500000.00", None),
        ("trace 4bf92f3577b34da6a3ce929d0e123456789e4736", None),
        ("on 14.07.2025 10:30, or 2025/07/14 10:30:00", None),
        ("a %C3%A1rvore", None),
        ("zk_test_a-b,zk_x", "***,***"),
        # Facts that help, and are no telephone numbers.
        ("message 019b4b56-e704-7c30-83a0-527064630000 not found", None),
        ("at most 1600 characters, got 12345678", None),
        ("at 2025-07-14T10:30:00.123456+00:00", None),
        ("order_1234567890", None),
    ],
)
def test_numbers_and_keys_are_masked_in_any_text(text: str, shown: str | None) -> None:
    """Wherever a text comes from, its numbers and keys are masked; ids and times are kept."""
    assert Mask(None)(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'Ana, dial +244990090990 about the loan' is spam", "'***' is spam"),
        ("Ana Domingos has no Premium", "*** has no ***"),
        ("'Ana,\ndial  +244990090990 about\tthe loan' is spam", "'***' is spam"),
        ("'Ana, dial +2449900' is too long", "'***' is too long"),
        ("content=Ana%2C+dial+%2B24499", "content=***"),
        ("'Ana, dial&#32;+24499&hellip;'", "'***…'"),
        ("no such tag: Prem, Premium", "no such tag: Prem, ***"),
        ("24499 and 90090", "*** and ***"),
        ("the loans are about", None),
        # Within an id it takes 8 digits, as ids share a few with any number.
        ("trace deadbeef2449900adeadbeefdeadbeef", None),
        ("trace deadbeef24499009deadbeefdeadbeef", "trace deadbeef***deadbeefdeadbeef"),
        ("trace deadbeef91234567deadbeefdeadbeef", "trace deadbeef***deadbeefdeadbeef"),
        ("019b4b56-e704-7c30-83a0-527df63c3e00 is unknown", None),
        ("channel_type: SMS, WHATSAPP for a VIP", None),
    ],
)
def test_what_the_request_held_is_masked(text: str, shown: str | None) -> None:
    """A server that repeats the text, a name or a tag is not quoted; short words may stay."""
    assert Mask(BODY)(text) == (text if shown is None else shown)


def test_a_word_of_the_api_is_no_secret() -> None:
    """The server's message about a channel is readable, though the request named that channel."""
    body = {"channel_type": ChannelType.WHATSAPP, "content": "WHATS up"}
    assert Mask(body)("WHATS up is not for WHATSAPP") == "*** is not for WHATSAPP"


@given(st.lists(st.text("ab1 ", min_size=4), min_size=1))
@example(["bbbb", "aaaa bbbb"])
def test_no_part_of_a_body_stays_whatever_its_order(parts: list[str]) -> None:
    """A string that stands inside another does not leave the rest of it behind."""
    longest = max(parts, key=lambda part: len("".join(part.split())))
    if len("".join(longest.split())) >= 4:
        assert set(Mask(parts)(longest)) <= {"*"}


#: Ways in which a server writes what it was sent.
ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in lower case": lambda text: re.sub("%..", lambda each: each[0].lower(), quote(text)),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON of UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON for scripts": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "in HTML": html.escape,
    "in HTML of ASCII": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "as Python": lambda text: ascii(text)[1:-1],
    "in a URL in JSON": lambda text: json.dumps(quote(json.dumps(text)))[1:-1],
    "in a URL in a URL": lambda text: quote(quote(text)),
    "in HTML in JSON": lambda text: json.dumps(html.escape(text))[1:-1],
    "in short lines": lambda text: "\n".join(text[at : at + 5] for at in range(0, len(text), 5)),
}


def pieces_of(text: str) -> list[str]:
    """Return all runs of 8 characters of a text; white space, `+` and backslashes do not count."""
    places = [at for at, each in enumerate(text) if each not in "+\\" and not each.isspace()]
    return [text[a : b + 1] for a, b in zip(places, places[7:], strict=False)]


def bare(text: str) -> str:
    """Return a text without white space."""
    return "".join(text.split())


TEXTS = st.text("abc áÉ\"'<>&/+?\n-.,;:#=😀123456789", min_size=8, max_size=60) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=60
)


@pytest.mark.promise("No piece of a number or a text is in an error or a log")
@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
@given(text=TEXTS, start=st.integers(0, 20), end=st.integers(8, 60), after=st.booleans())
def test_no_piece_of_a_text_comes_out(
    escape: Callable[[str], str], text: str, start: int, end: int, *, after: bool
) -> None:
    """However a server escapes it and wherever it cuts it, before that or after."""
    said = escape(text)[start:end] if after else escape(text[start:end])
    shown = Mask({"content": text})(f"content: «{said}» is not allowed")
    for piece in pieces_of(text):
        for form in (str, escape):
            assert bare(form(piece)) not in bare(shown)


DIGITS = re.compile(r"[0-9](?:[\W_]{0,3}[0-9])*")


@pytest.mark.promise("No piece of a number or a text is in an error or a log")
@given(
    number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
    separators=st.lists(
        st.sampled_from(["", " ", "-", ".", "/", "_", ":", ", ", ") (", "\u00a0", "%20", "&nbsp;"])
    ),
    cut=st.tuples(st.integers(0, 10), st.integers(5, 16)),
    around=st.tuples(st.text("xyz _=", max_size=5), st.text("xyz _=", max_size=5)),
    escape=st.sampled_from([*ESCAPES.values()]),
    held=st.sampled_from(["{}", "Ligue {} já", "tel:{}"]),
)
def test_no_run_of_a_number_comes_out(
    number: str,
    separators: list[str],
    cut: tuple[int, int],
    around: tuple[str, str],
    escape: Callable[[str], str],
    held: str,
) -> None:
    """5 digits of a number the body held, whatever stands between and around them."""
    spaced = "".join(
        a + b for a, b in zip_longest(number[slice(*cut)], separators[:15], fillvalue="") if a
    )
    shown = Mask({"text": held.format(number)})(f"bad: {around[0]}{escape(spaced)}{around[1]}!")
    digits = number[1:]
    for row in DIGITS.findall(shown):
        bare_row = re.sub(r"[^0-9]", "", row)
        assert not any(digits[at : at + 5] in bare_row for at in range(len(digits) - 4))


@given(
    st.uuids().map(str)
    | st.uuids().map(lambda value: value.hex)
    | st.datetimes(datetime(1950, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        datetime.isoformat
    )
)
def test_facts_stay_readable(fact: str) -> None:
    """Ids, trace ids and timestamps are not taken for numbers, and share no 8 digits with one."""
    words = f"message {fact}: no such message, {fact}"
    assert Mask(BODY)(words) == words


@given(st.decimals(0, 10**9 - 1, places=6) | st.decimals(0, 10**9 - 1, places=2))
def test_amounts_stay_readable(amount: Decimal) -> None:
    """A price or a balance is not taken for a number."""
    words = f"the cost is {amount:f} AOA, the balance {amount:f}."
    assert Mask(None)(words) == words


def test_all_of_a_large_body_is_masked() -> None:
    """A campaign of 1000 numbers and 10,000 characters, and an answer that repeats them."""
    numbers = [f"+2449{at:08}" for at in range(0, 10**8, 10**5)]
    content = "Olá, amanhã é feriado. " * 430
    mask = Mask({"content": content, "recipients": numbers})
    assert set(mask(" ".join(numbers))) == {"*", " "}
    assert mask(content) == "***"


@pytest.mark.parametrize("body", [None, 7, b"+244990090990", {}, [], {"a": None, "b": [1, True]}])
def test_any_body_will_do(body: object) -> None:
    """A body without strings masks nothing."""
    assert Mask(body)("about 7 of them") == "about 7 of them"
