"""Values to models: the only module that knows cattrs.

What a type annotation says is what is there. cattrs' own defaults coerce (`"false"` becomes
True, None becomes `"None"`), so every scalar has an exact hook here. A value is structured
without cattrs' detailed validation, which doubles the cost; when that fails it is done
again with it, over the same object, to learn the path of the field that was wrong.

Error messages name paths and types, never values: a value may be somebody's number.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin
from uuid import UUID, SafeUUID

import attrs
from cattrs import BaseConverter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from ziett_async._wire import Undecodable
from ziett_async.models import CallInfo, Message, OpenEnum

T = TypeVar("T")
E = TypeVar("E", bound=OpenEnum)

#: What older pages of the documentation call the fields of a message.
_OLDER_NAMES = {
    "remitter_id": ("sms_remitter_id",),
    "target_e164": ("e164_format", "to"),
    "content": ("body",),
}


def structure(payload: object, kind: type[T]) -> T:
    """Return the model that a JSON value holds; raises `Undecodable` naming the path."""
    try:
        return cast("T", _quick.get_structure_hook(kind)(payload, kind))
    except Exception:  # noqa: BLE001 - whatever it is, the second reading names it
        return _explained(payload, kind)


def _explained(payload: object, kind: type[T]) -> T:
    """Structure it again, to raise with the path of the first field that is wrong."""
    if not isinstance(payload, dict):
        _refuse("an object", payload)
    try:
        return _careful().structure(payload, kind)
    except Exception as error:
        first = transform_error(error, format_exception=_worded)[0]
        words, _, path = first.rpartition(" @ $")
        message = f"{path.removeprefix('.') or 'the body'}: {words}"
        raise Undecodable(message) from error


def _worded(error: BaseException, _: type[object] | None) -> str:
    if isinstance(error, KeyError):
        return "missing"
    return str(error) if isinstance(error, Undecodable) else "not what it should be"


def _name(value: object) -> str:
    return _JSON_NAMES.get(type(value), "something else")


_JSON_NAMES: dict[type[object], str] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def _refuse(expected: str, value: object) -> NoReturn:
    message = f"expected {expected}, got {_name(value)}"
    raise Undecodable(message)


def _exactly(kind: type[T]) -> Callable[[object, object], T]:
    def hook(value: object, _: object) -> T:
        if type(value) is not kind:
            _refuse(_JSON_NAMES[kind], value)
        return value

    return hook


def _told(expected: str, parse: Callable[[Any, object], T]) -> Callable[[object, object], T]:
    """Return a hook that says what it expected; the quick one may fail as it likes."""

    def hook(value: object, kind: object) -> T:
        try:
            return parse(value, kind)
        except (AttributeError, TypeError, ValueError, ArithmeticError):
            got = "another string" if type(value) is str else _name(value)
            message = f"expected {expected}, got {got}"
            raise Undecodable(message) from None

    return hook


def _uuid(value: str, _: object) -> UUID:
    """Return what `UUID(value)` does, in half the time: this is its `__setstate__`."""
    digits = value.replace("-", "")
    if len(digits) != 32:
        raise ValueError
    uuid = object.__new__(UUID)
    _set(uuid, "int", int(digits, 16))
    _set(uuid, "is_safe", _UNKNOWN)
    return uuid


_set, _UNKNOWN = object.__setattr__, SafeUUID.unknown


def _moment(value: str, _: object) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _decimal(value: object, _: object) -> Decimal:
    if type(value) is not str:
        raise TypeError
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError
    return number


def _open_enum(kind: type[E]) -> Callable[[object, object], E]:
    known: dict[object, E] = {member.value: member for member in kind}

    @lru_cache(maxsize=256)
    def unknown(value: object) -> E:
        if type(value) is not str:
            raise TypeError
        return kind(value)

    return lambda value, _: known.get(value) or unknown(value)


def _model(kind: type[T], converter: BaseConverter) -> Callable[[Any, Any], T]:
    is_careful = converter.detailed_validation
    own_id = _told("a UUID", _uuid) if is_careful else _uuid
    # What is its own id is in no other row, so it has no business in the cache of ids.
    own: dict[str, Any] = {
        name: override(struct_hook=own_id) for name in ("id", "message_id") if hasattr(kind, name)
    }
    from_dict: Callable[[Any, Any], T] = make_dict_structure_fn(kind, converter, **own)

    def from_newest(value: dict[str, object], kind: type[T]) -> T:
        return from_dict(_newest_names(value), kind)

    def from_object(value: object, kind: type[T]) -> T:
        if not isinstance(value, dict):
            _refuse("an object", value)
        return quickest(cast("dict[str, object]", value), kind)

    quickest = from_newest if kind is Message else from_dict
    return from_object if is_careful else quickest


def _is_optional(kind: object) -> bool:
    return isinstance(kind, UnionType) and NoneType in get_args(kind)


def _optional(kind: type[Any], converter: BaseConverter) -> Callable[[object, object], object]:
    (inner,) = (each for each in get_args(kind) if each is not NoneType)
    structure_inner = converter.get_structure_hook(inner)

    def hook(value: object, _: object) -> object:
        return None if value is None else structure_inner(value, inner)

    return hook


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _rows(kind: type[Any], converter: BaseConverter) -> Callable[[object, type[Any]], Any]:
    from_iterable = homogenous_tuple_structure_factory(kind, converter)

    def hook(value: object, kind: type[Any]) -> object:
        if type(value) is not list:
            _refuse("an array", value)
        return from_iterable(cast("list[object]", value), kind)

    return hook


def _newest_names(entry: dict[str, object]) -> dict[str, object]:
    if None not in map(entry.get, _OLDER_NAMES):
        return entry
    for name, older in _OLDER_NAMES.items():
        if entry.get(name) is None:
            found = (entry[other] for other in older if entry.get(other) is not None)
            entry = {**entry, name: value} if (value := next(found, None)) is not None else entry
    return entry


def _converter(*, detailed_validation: bool) -> BaseConverter:
    converter = BaseConverter(detailed_validation=detailed_validation)
    converter.register_structure_hook_factory(attrs.has, _model)
    converter.register_structure_hook_factory(_is_tuple, _rows)
    converter.register_structure_hook_factory(_is_optional, _optional)
    converter.register_structure_hook_func(
        lambda kind: kind == Mapping[str, object], _exactly(dict)
    )
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, _exactly(scalar))
    # A sender, a campaign or an account stands in every row of a page: one object serves all.
    texts: list[tuple[type[Any], str, Callable[[Any, object], object]]] = [
        (UUID, "a UUID", lru_cache(maxsize=1024)(_uuid)),
        (datetime, "an aware date-time", _moment),
        (Decimal, "a decimal string", _decimal),
        *((enum, "a string", _open_enum(enum)) for enum in OpenEnum.__subclasses__()),
    ]
    for kind, expected, parse in texts:
        hook = _told(expected, parse) if detailed_validation else parse
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook(CallInfo, lambda info, _: info)
    return converter


_quick = _converter(detailed_validation=False)


@cache
def _careful() -> BaseConverter:
    return _converter(detailed_validation=True)
