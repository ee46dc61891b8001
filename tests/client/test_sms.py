"""How texts travel: alphabet, parts, and what is to blame."""

import pytest

from ziett_async._telephony.sms import segments_of


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "units", "room"),
    [
        ("", "GSM-7", 1, 0, 160),
        ("Your code is 482910.", "GSM-7", 1, 20, 160),
        ("à é Ç ñ @ £ \n", "GSM-7", 1, 13, 160),
        ("a" * 160, "GSM-7", 1, 160, 160),
        ("a" * 161, "GSM-7", 2, 161, 306),
        ("a" * 306, "GSM-7", 2, 306, 306),
        ("a" * 307, "GSM-7", 3, 307, 459),
        ("€" * 80, "GSM-7", 1, 160, 160),
        ("€" * 81, "GSM-7", 2, 162, 306),
        # The pair that does not fit into the first part is not torn apart.
        ("a" * 152 + "€" * 77, "GSM-7", 3, 306, 459),
        ("ã" * 70, "UCS-2", 1, 70, 70),
        ("ã" * 71, "UCS-2", 2, 71, 134),
        ("😀" * 35, "UCS-2", 1, 70, 70),
        ("😀" * 36, "UCS-2", 2, 72, 134),
        ("😀" * 67, "UCS-2", 3, 134, 201),
    ],
)
def test_parts_are_what_the_network_makes_of_it(
    text: str, encoding: str, parts: int, units: int, room: int
) -> None:
    """At every edge: the last character that fits, and the one that does not."""
    found = segments_of(text)
    assert (found.encoding, found.parts, found.units, found.room) == (encoding, parts, units, room)


def test_letters_that_need_ucs_2_are_named() -> None:
    """Each once, the first five of them, in their order."""
    assert segments_of("Não é nação: ç õ ê ă ș").because_of == "ãçõêă"
    assert segments_of("Not one of them: é").because_of == ""
