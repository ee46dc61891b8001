"""What the methods for many messages take, checked before anything happens."""

import os
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import cast

from ziett_async import _validation as check
from ziett_async._operation import Priority
from ziett_async._validation import Fields, Invalid
from ziett_async.bulk.journal import Journal
from ziett_async.bulk.plan import Many, Options
from ziett_async.bulk.sqlite import SqliteJournal

_LARGEST_CONCURRENCY = 10_000
_METHODS = ("open", "read", "write", "has_accepted", "aclose")


def read_options(
    name: str,
    place: str,
    messages: object,
    journal: object,
    run: object,
    concurrency: object,
    priority: object,
) -> Options:
    """Return what a run was asked for.

    Raises:
        InvalidRequest: an argument is invalid; all of them are named.

    """
    fields = Fields(name)
    source = fields.check(place, _many, messages)
    to = None if journal is None else fields.check("journal", _journal, journal)
    named = None if run is None else fields.check("run", check.text, run)
    most = fields.check("concurrency", check.integer, concurrency, 1, _LARGEST_CONCURRENCY)
    order = fields.check("priority", check.choice, priority, Priority)
    fields.raise_if_invalid()
    return Options(
        name, cast("Many[object]", source), to, named, cast("int", most), Priority(order or "")
    )


def _many(value: object) -> object:
    # A mapping would be read as its keys: most likely one message was meant.
    kind = type(value).__name__
    is_one = isinstance(value, str | bytes | Mapping)
    if is_one or not isinstance(value, Iterable | AsyncIterable):
        raise Invalid(f"must be an iterable or async iterable, got {kind}")
    return cast("object", value)


def _journal(value: object) -> Journal:
    if isinstance(value, str):
        return SqliteJournal(check.text(value))
    if isinstance(value, os.PathLike):
        return SqliteJournal(cast("os.PathLike[str]", value))
    if isinstance(value, type) or not all(
        callable(getattr(value, each, None)) for each in _METHODS
    ):
        raise Invalid(f"must be a path, or have {', '.join(_METHODS)}, got {type(value).__name__}")
    return cast("Journal", value)
