"""What may be shown of numbers, keys and texts: in logs, errors and reprs.

A server may repeat what it was sent in any form: cut short, escaped for a URL, for JSON or for
HTML, broken into lines, numbers with other separators or glued to letters. So the text
is unescaped and compared with the request's body piece by piece: 8 consecutive characters of
it (all of a shorter string), or 5 consecutive digits, are masked wherever they occur. What
looks like a number or a key is masked whether or not the body held it.

Ids, timestamps and amounts help the reader, and their digits match by chance. They do not count
as numbers, and a part of an id or a timestamp is masked only if it repeats 8 digits of the body.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from json import loads
from typing import cast
from urllib.parse import unquote

#: How many consecutive characters, or digits, of the body are masked.
_CHARACTERS, _DIGITS = 8, 5
#: Shorter strings of a body are not secret, and neither are members of an enumeration.
_SHORTEST = 4
#: How many levels of nested escapes are undone.
_DEPTH = 4

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Patterns are compiled when they are first matched: most programs see no error at all.
#: Ids and timestamps, each a whole word.
_FACT = rf"""(?aix)(?<![\w+])(?:
      {_UUID}
    | (?=[0-9]*[a-f])[0-9a-f]{{16,}}                            # a trace id
    | (?:19|20)\d\d([-/.])[01]\d\1[0-3]\d                      # 2025-07-14
      (?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{{1,9}})?)?)?      #   T10:30:00.123456
      (?:Z|[+-]\d\d:?\d\d)?                                    #   +00:00
    | [0-3]\d([-/.])[01]\d\2(?:19|20)\d\d                      # 14.07.2025
    )(?!\w|[.,-]\d)"""
#: `1500000.000000`
_AMOUNT = r"(?a)(?<![\w+.,])\d{1,9}[.,]\d{1,6}(?!\w|[.,-]\d)"
#: With a plus, or 9 to 15 digits that no `-` or `_` makes part of an id.
_NUMBER = r"(?a)\+\d(?:[\s.()/_-]{0,3}\d){6,}|(?<![\d_-])\d(?:[\s.()/-]{0,2}\d){8,14}(?![\d_-])"
#: A prefix alone is not a key: `use a key that begins with zk_test_`.
_KEY = r"zk_(?!(?:live|test)_(?![\w-]))[\w-]+"
#: Digits with no letter between them.
_DIGITS_IN_A_ROW = r"[0-9](?:[\W_]{0,3}[0-9])+"
_JSON_ESCAPES = r"(?:\\u[0-9a-fA-F]{4})+|\\[nrtbf\"/\\]"
_PYTHON_ESCAPES = r"\\(?:x([0-9a-f]{2})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))"


def masked_number(number: str) -> str:
    """Return a number that can be recognised but not dialled.

    >>> masked_number("+244990090990")
    '+244*****0990'
    """
    # A third at each end, so that a short number is not shown whole.
    shown = min(4, len(number) // 3)
    hidden = len(number) - 2 * shown
    return f"{number[:shown]}{'*' * hidden}{number[shown + hidden :]}"


class Mask:
    """Hides numbers, keys and the content of one request's body in a text from outside.

    >>> Mask({"content": "Olá Ana"})("+244990090990 cannot receive 'Olá Ana'")
    "*** cannot receive '***'"
    """

    def __init__(self, body: object) -> None:
        #: Pieces of the body: texts by their length, and digits.
        self._texts = defaultdict[int, set[str]](set)
        self._digits = set[str]()
        for private in _strings(body):
            for read in _readings(private):
                self._hold(read)

    def _hold(self, private: str) -> None:
        text = "".join(private[at] for at in _written(private))
        if len(text) >= _SHORTEST:
            size = min(len(text), _CHARACTERS)
            self._texts[size].update(_pieces(text, size))
        for row in re.finditer(_DIGITS_IN_A_ROW, private):
            digits = "".join(private[at] for at in _digits(row))
            self._digits.update(_pieces(digits, _DIGITS))
            self._texts[_CHARACTERS].update(_pieces(digits, _CHARACTERS))

    def __call__(self, text: str) -> str:
        """Return the text in one line, without escapes where a part of it is masked."""
        readings = _readings(text)
        for read in reversed(readings):
            if (shown := self._hide(read)) != read:
                return shown
        return readings[0]

    def _hide(self, read: str) -> str:
        shown, after = list[str](), -1
        for start, end in sorted(self._private(read)):
            if start > after:
                shown += [read[max(after, 0) : start], "***"]
            after = max(after, end)
        return "".join([*shown, read[max(after, 0) :]])

    def _private(self, read: str) -> Iterator[tuple[int, int]]:
        """Yield the spans that are private; they may overlap."""
        written = _written(read)
        for size, pieces in self._texts.items():
            yield from _found(read, written, pieces, size)
        other = re.sub(_FACT, _letters, read)
        for row in re.finditer(_DIGITS_IN_A_ROW, other):
            yield from _found(read, _digits(row), self._digits, _DIGITS)
        for pattern in (_NUMBER, _KEY):
            for match in re.finditer(pattern, re.sub(_AMOUNT, _letters, other)):
                yield match.span()


def _letters(match: re.Match[str]) -> str:
    return "x" * len(match[0])


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _found(
    text: str, places: Sequence[int], pieces: set[str], size: int
) -> Iterator[tuple[int, int]]:
    """Yield the spans of the pieces in a text of which only the characters at `places` count."""
    compared = "".join(text[at] for at in places)
    for at, piece in enumerate(_pieces(compared, size)):
        if piece in pieces:
            yield places[at], places[at + size - 1] + 1


def _written(text: str) -> list[int]:
    """Return the places of what every form keeps: all but white space, `+` and backslashes."""
    return [at for at, each in enumerate(text) if each not in "+\\" and not each.isspace()]


def _digits(row: re.Match[str]) -> list[int]:
    return [row.start() + at for at, each in enumerate(row[0]) if each in "0123456789"]


def _readings(text: str) -> list[str]:
    """Return a text in one line, as it is and after each step of unescaping it.

    All of them count: a text that is sent may hold what looks like an escape.
    """
    readings = [" ".join(text.split())]
    for undo in (_from_json, _from_python, unquote, _from_html) * _DEPTH:
        read = " ".join(undo(readings[-1]).split())
        if read != readings[-1]:
            readings.append(read)
    return readings


def _from_json(text: str) -> str:
    return re.sub(_JSON_ESCAPES, lambda match: loads(f'"{match[0]}"'), text)


def _from_python(text: str) -> str:
    return re.sub(_PYTHON_ESCAPES, lambda match: chr(int(match[1] or match[2], 16)), text)


def _from_html(text: str) -> str:
    # A large table, which most programs never need.
    from html import unescape  # noqa: PLC0415

    return unescape(text)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if not isinstance(value, Enum) and not re.fullmatch(_UUID, value):
            yield value
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[str, object]", value).values():
            yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in cast("Sequence[object]", value):
            yield from _strings(inner)
