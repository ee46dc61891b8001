"""Single JSON values to Python values: exact types, no coercion.

A hook gets a value and the annotation of its field, so it knows whether null is allowed. For a
wrong value it raises any error; `expecting` turns that into a message.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID, SafeUUID

from ziett_async._wire import Undecodable
from ziett_async.models import OpenEnum

T = TypeVar("T")
E = TypeVar("E", bound=OpenEnum)


def _json_type(value: object) -> str:
    return _JSON_TYPES.get(type(value), "something else")


_JSON_TYPES: dict[type[object], str] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def refuse(expected: str, value: object) -> NoReturn:
    """Raise `Undecodable` with the JSON type of a value and the type expected."""
    message = f"expected {expected}, got {_json_type(value)}"
    raise Undecodable(message)


def exactly(kind: type[object]) -> Callable[[object, object], object]:
    """Return a hook for a JSON type that is a Python type already."""

    def hook(value: object, given: object) -> object:
        if type(value) is not kind and not (value is None and isinstance(given, UnionType)):
            refuse(_JSON_TYPES[kind], value)
        return value

    return hook


def expecting(expected: str, parse: Callable[[Any, object], T]) -> Callable[[object, object], T]:
    """Return a hook that raises `Undecodable` with a message where `parse` raises any error."""

    def hook(value: object, kind: object) -> T:
        try:
            return parse(value, kind)
        except (AttributeError, TypeError, ValueError, ArithmeticError):
            got = "another string" if type(value) is str else _json_type(value)
            message = f"expected {expected}, got {got}"
            raise Undecodable(message) from None

    return hook


def uuid(parse: Callable[[Any], UUID]) -> Callable[[Any, object], UUID | None]:
    """Return a hook for UUIDs; `parse` is `to_uuid`, with or without a cache."""

    def hook(value: Any, given: object) -> UUID | None:  # noqa: ANN401 - any JSON value
        if value is None and isinstance(given, UnionType):
            return None
        return parse(value)

    return hook


def to_uuid(value: str) -> UUID:
    """Return what `UUID(value)` does, quicker; braces and `urn:` are refused."""
    digits = value.replace("-", "")
    if len(digits) != 32:
        raise ValueError
    made = _new(_UnfrozenUUID)
    made.int = int(digits, 16)
    made.is_safe = _UNKNOWN
    made.__class__ = UUID
    found: UUID = made
    return found


def unfrozen(kind: type[T]) -> type[T]:
    """Return a subclass of a frozen class whose objects can be assigned to.

    The way past a frozen class, `object.__setattr__`, takes ten times as long as an assignment.
    So what is made two hundred times for a page is made of such a subclass, and when it is
    complete its `__class__` becomes the frozen class.
    """
    setters = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    made: Any = type(kind.__name__, (kind,), {"__slots__": (), **setters})
    return cast("type[T]", made)


_new: Callable[[type[UUID]], Any] = object.__new__
_UnfrozenUUID, _UNKNOWN = unfrozen(UUID), SafeUUID.unknown


def timestamp(value: Any, kind: object) -> datetime | None:  # noqa: ANN401 - any JSON value
    """Return an aware time, from ISO 8601 in any of its forms."""
    if value is None and isinstance(kind, UnionType):
        return None
    found = _fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError
    return found


#: Bound once: to look it up takes about as long as to call it.
_fromisoformat: Callable[[Any], datetime] = datetime.fromisoformat


def decimal(value: object, kind: object) -> Decimal | None:
    """Return a finite number, from a string."""
    if value is None and isinstance(kind, UnionType):
        return None
    if type(value) is not str:
        raise TypeError
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError
    return number


def open_enum(kind: type[E]) -> Callable[[Any, object], E | None]:
    """Return a hook for an open enumeration: any other string becomes an unknown member."""
    known: dict[object, E] = {member.value: member for member in kind}

    @lru_cache(maxsize=256)
    def unknown(value: object) -> E:
        if type(value) is not str:
            raise TypeError
        return kind(value)

    def hook(value: object, given: object) -> E | None:
        if value is None and isinstance(given, UnionType):
            return None
        return known.get(value) or unknown(value)

    return hook


#: Types whose hooks accept null where the annotation does; every other type needs a wrapper.
NULL_AWARE = (str, int, bool, UUID, datetime, Decimal, *OpenEnum.__subclasses__())
