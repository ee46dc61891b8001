"""What may be shown of numbers, keys and texts: in logs, errors and reprs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import cast

_NUMBER = r"\+\d[\d .()\-]{5,}\d|(?<![\w-])\d(?:[ .()]{0,2}\d){8,14}(?![\w-])"
#: A prefix alone is not one: `use a key that begins with zk_test_`.
_KEY = r"zk_(?!(?:live|test)_(?![\w-]))[\w-]+"
#: Shorter strings of a body are words and not secrets, as are those of an enumeration.
_SHORTEST = 4


def masked_number(number: str) -> str:
    """Return a number that can be told from others but not dialled.

    >>> masked_number("+244990090990")
    '+244*****0990'
    """
    # A third at each end, so that a short number is not shown whole.
    shown = min(4, len(number) // 3)
    hidden = len(number) - 2 * shown
    return f"{number[:shown]}{'*' * hidden}{number[shown + hidden :]}"


def masked_text(text: str, body: object) -> str:
    """Return somebody else's words without numbers, keys and what a request's body held.

    In one line: a server may have broken a text in other places than the request did.

    >>> masked_text("+244990090990 cannot receive 'Olá Ana'", {"content": "Olá Ana"})
    "*** cannot receive '***'"
    """
    text = " ".join(text.split())
    # The longest first: a number masked inside the content would leave the rest of it.
    for private in sorted(_strings(body), key=len, reverse=True):
        text = text.replace(private, "***")
    return re.sub(_KEY, "***", re.sub(_NUMBER, "***", text))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST and not isinstance(value, Enum):
            yield " ".join(value.split())
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[str, object]", value).values():
            yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in cast("Sequence[object]", value):
            yield from _strings(inner)
