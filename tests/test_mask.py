"""What may be shown of numbers, keys and texts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ziett_async._mask import masked_number, masked_text
from ziett_async.models import ChannelType

BODY = {
    "target_e164": "+244990090990",
    "content": "Ana, dial +244990090990 about the loan",
    "channel_type": "SMS",
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
        ("zk_test_a-b,zk_x", "***,***"),
        # Facts that help, and are nobody's number.
        ("message 019b4b56-e704-7c30-83a0-527064630000 not found", None),
        ("at most 1600 characters, got 12345678", None),
        ("at 2025-07-14T10:30:00.123456+00:00", None),
        ("order_1234567890", None),
    ],
)
def test_numbers_and_keys_are_masked_in_any_text(text: str, shown: str | None) -> None:
    """Whoever wrote it, a number or a key in it is not repeated; ids and times are."""
    assert masked_text(text, None) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'Ana, dial +244990090990 about the loan' is spam", "'***' is spam"),
        ("Ana Domingos has no Premium", "*** has no ***"),
        ("'Ana,\ndial  +244990090990 about\tthe loan' is spam", "'***' is spam"),
        ("channel_type: SMS, WHATSAPP for a VIP", None),
    ],
)
def test_what_the_request_held_is_masked(text: str, shown: str | None) -> None:
    """A server that repeats the text, a name or a tag is not quoted; short words may stay."""
    assert masked_text(text, BODY) == (text if shown is None else shown)


def test_a_word_of_the_api_is_no_secret() -> None:
    """What the server says of a channel can be read, though the request named that channel."""
    body = {"channel_type": ChannelType.WHATSAPP, "content": "WHATS up"}
    assert masked_text("WHATS up is not for WHATSAPP", body) == "*** is not for WHATSAPP"


@given(st.lists(st.text("ab1 ", min_size=4), min_size=1))
@example(["bbbb", "aaaa bbbb"])
def test_no_part_of_a_body_stays_whatever_its_order(parts: list[str]) -> None:
    """A string that stands inside another does not leave the rest of it behind."""
    longest = max(parts, key=len)
    assert set(masked_text(longest, parts)) <= {"*"}


@pytest.mark.parametrize("body", [None, 7, b"+244990090990", {}, [], {"a": None, "b": [1, True]}])
def test_any_body_will_do(body: object) -> None:
    """A body without strings masks nothing."""
    assert masked_text("about 7 of them", body) == "about 7 of them"
