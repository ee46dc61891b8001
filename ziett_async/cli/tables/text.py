"""CSV as Excel and its relatives write it, in any of their encodings and with any delimiter."""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Table, make_table

_DELIMITERS = ";,\t|"
#: The first line, if it names the delimiter for Excel: `sep=;`.
_SEP = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: How many lines tell which delimiter it is.
_SAMPLE = 50


def read_text(content: bytes, encoding: str | None = None) -> Table:
    """Return the table of a CSV file; `encoding` is for what cannot be told from its bytes.

    Raises:
        UsageError: it is no text in the encoding, or no CSV.

    """
    text, used = _decode(content, encoding)
    if "\0" in text:
        message = "the file is no text; save it as CSV, or as .xlsx"
        raise UsageError(message)
    first = 1
    if told := _SEP.match(text):
        text, first = text[told.end() :], 2
        delimiter = told[1]
    else:
        delimiter = _find_delimiter(text)
    shown = "tab" if delimiter == "\t" else delimiter
    lines = [(place + first - 1, cells) for place, cells in _lines(text, delimiter)]
    return make_table(lines, f"CSV, {used}, delimiter {shown}")


def _decode(content: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the text, and the encoding that it is in.

    Without a mark it is UTF-8 if it can be: hardly any text of another encoding can. Then it is
    what Excel writes in western Europe, Africa and America.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    for candidate in [encoding] if encoding else [marked] if marked else ["utf-8", "cp1252"]:
        try:
            text = content.decode(candidate).removeprefix("\ufeff")
        except LookupError:
            message = f"there is no encoding {candidate!r}; try utf-8, cp1252 or utf-16"
            raise UsageError(message) from None
        except UnicodeError:
            continue
        return text, candidate.removesuffix("-sig")
    tried = encoding or marked or "utf-8 or cp1252"
    message = f"the file is no text in {tried}; name its encoding with --encoding"
    raise UsageError(message)


def _find_delimiter(text: str) -> str:
    """Return the delimiter that splits most lines as the first one, and that into most cells."""
    return max(_DELIMITERS, key=lambda delimiter: _rank(text, delimiter))


def _rank(text: str, delimiter: str) -> tuple[int, int]:
    lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        widths = [len(cells) for cells in islice(lines, _SAMPLE) if any(cells)]
    except csv.Error:  # A cell that is too long.
        return 0, 0
    if not widths or widths[0] == 1:
        return 0, 1
    return widths.count(widths[0]), widths[0]


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the cells of each line, with the number of the line that it begins on.

    Strict: a quote that is never closed would otherwise make one cell of the rest of the file.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        message = f"line {begins} is no CSV: {error}; is a quote missing there, or one too many?"
        raise UsageError(message) from None
