"""Values of the package as text: for the eye, and as one line of JSON."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import attrs


def printable(text: str) -> str:
    r"""Return a text in one line, without what a terminal would take for a command.

    >>> printable("Olá\n\x1b[2JAna")
    'Olá ␛[2JAna'
    """
    line = " ".join(text.split())
    return "".join(each if each.isprintable() else _visible(each) for each in line)


def local_time(moment: datetime | None) -> str:
    """Return a moment to the minute, in this machine's time zone; nothing for None."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def plain(value: object) -> object:
    """Return a value as JSON has it, without what a message lacks and how its call went.

    >>> from ziett_async import SaveContact
    >>> plain(SaveContact("Ana", tags=["Premium"]))
    {'name': 'Ana', 'tags': ['Premium']}
    """
    if attrs.has(type(value)):
        names = [each.name for each in attrs.fields(cast("type[Any]", type(value)))]
        held = {name: getattr(value, name) for name in names if name != "call"}
        return {name: plain(each) for name, each in held.items() if each not in (None, {})}
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(name): plain(each) for name, each in items}
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(each) for each in cast("Iterable[object]", value)]
    return str(value)


def json_line(value: object) -> str:
    """Return a value as one line of JSON, in ASCII: no encoding spoils it, no terminal obeys it."""
    return json.dumps(plain(value))


def _visible(character: str) -> str:
    """Return a picture of a control character, and a replacement for what has none."""
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
