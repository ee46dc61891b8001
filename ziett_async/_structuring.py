"""Values to models: the only module that knows cattrs.

A value has the type of its annotation. cattrs' own defaults coerce (`"false"` becomes
True, None becomes `"None"`), so every scalar has an exact hook here. A value is structured
without cattrs' detailed validation, which doubles the cost; if that fails, it is structured
again with it, to find the path of the field that was wrong.

Error messages name paths and types, never values: a value may be a telephone number.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin
from uuid import UUID

import attrs
from cattrs import BaseConverter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from ziett_async._scalars import (
    NULL_AWARE,
    decimal,
    exactly,
    expecting,
    open_enum,
    refuse,
    timestamp,
    to_uuid,
    unfrozen,
    uuid,
)
from ziett_async._wire import Undecodable
from ziett_async.models import CallInfo, Campaign, Message, OpenEnum
from ziett_async.models._answer import Answer, Extra

T = TypeVar("T")

#: Names of the message's fields on other pages of the documentation; the first set one wins.
_ALIASES = {
    "sms_remitter_id": "remitter_id",
    "e164_format": "target_e164",
    "to": "target_e164",
    "body": "content",
}
#: Ids that no other row has, or few have: to cache them is of no use.
_UNCACHED = (("id", UUID), ("message_id", UUID), ("contact_id", UUID | None))
#: What a page holds up to 200 of.
_ROWS = (Message, Campaign)


def structure_function(kind: type[T]) -> Callable[[object], T]:
    """Return what makes a model of a JSON value, or raises `Undecodable` with the path."""
    quick: Callable[[object, type[T]], T] = _quick.get_structure_hook(kind)

    def structure(payload: object) -> T:
        try:
            return quick(payload, kind)
        except Exception:  # noqa: BLE001 - whatever it is, the second reading names it
            return _structure_with_path(payload, kind)

    return structure


def _structure_with_path(payload: object, kind: type[T]) -> T:
    """Structure it again, to raise with the path of the first field that is wrong."""
    if not isinstance(payload, dict):
        refuse("an object", payload)
    try:
        return _careful().structure(payload, kind)
    except Exception as error:
        first = transform_error(error, format_exception=_format)[0]
        reason, _, path = first.rpartition(" @ $")
        message = f"{path.removeprefix('.') or 'the body'}: {reason}"
        raise Undecodable(message) from error


def _format(error: BaseException, _: type[object] | None) -> str:
    if isinstance(error, KeyError):
        return "missing"
    return str(error) if isinstance(error, Undecodable) else "not what it should be"


def _model(kind: type[T], converter: BaseConverter) -> Callable[[Any, Any], T]:
    is_careful = converter.detailed_validation
    own_id = uuid(to_uuid)
    if is_careful:
        own_id = expecting("a UUID", own_id)
    own: dict[str, Any] = {
        each.name: override(struct_hook=own_id)
        for each in _fields(kind)
        if (each.name, each.type) in _UNCACHED
    }
    is_answer = issubclass(get_origin(kind) or kind, Answer)
    if is_answer:
        own["extra"] = override(omit=True)
    made = _quicker(kind) if kind in _ROWS else kind
    quickest: Callable[[Any, Any], T] = make_dict_structure_fn(made, converter, **own)
    if is_answer:
        quickest = _with_any_keys(kind, quickest, is_careful=is_careful)

    def from_object(value: object, kind: type[T]) -> T:
        if not isinstance(value, dict):
            refuse("an object", value)
        return quickest(cast("dict[str, object]", value), kind)

    return from_object if is_careful else quickest


def _quicker(kind: type[T]) -> type[T]:
    """Return a class whose constructor makes objects of a frozen model, in a third of the time."""
    made: Any = unfrozen(kind)

    def freeze(value: T) -> None:
        value.__class__ = kind

    made.__attrs_post_init__ = freeze
    # In place, as it has `__slots__`.
    return cast("type[T]", attrs.define(made, slots=False, eq=False, repr=False))


def _fields(kind: type[Any]) -> "tuple[attrs.Attribute[Any], ...]":
    return cast("tuple[attrs.Attribute[Any], ...]", attrs.fields(kind))


def _with_any_keys(
    kind: type[T], from_dict: Callable[[Any, Any], T], *, is_careful: bool
) -> Callable[[dict[str, object], Any], T]:
    """Return a hook for an answer's object with aliases, unknown keys, or nullable keys missing."""
    known = frozenset(each.name for each in _fields(kind)) - {"extra"}
    aliases = _ALIASES if kind is Message else {}
    named = known.union(aliases)
    # Most answers have these, so a constructor asks for them; some published ones do not.
    nulls = {
        each.name: None
        for each in _fields(kind)
        if each.default is attrs.NOTHING and _is_optional(each.type)
    }

    def hook(value: dict[str, object], kind: type[T]) -> T:
        if not known.issuperset(value):
            return with_other_keys(value, kind)
        if not is_careful:
            try:
                return from_dict(value, kind)
            except KeyError:
                pass
        return from_dict({**nulls, **value}, kind)

    def with_other_keys(value: dict[str, object], kind: type[T]) -> T:
        result = hook(_rename_aliases(value, aliases, known), kind)
        if not named.issuperset(value):
            extra = Extra((key, value[key]) for key in value if key not in named)
            # Frozen is what others get; to ask every object for its extra keys costs more.
            object.__setattr__(result, "extra", extra)
        return result

    return hook


def _rename_aliases(
    value: dict[str, object], aliases: Mapping[str, str], known: frozenset[str]
) -> dict[str, object]:
    """Return what an object holds for the fields, under their names."""
    renamed = {name: each for name, each in value.items() if name in known}
    for alias, name in aliases.items():
        found = value.get(alias)
        if found is not None and renamed.get(name) is None:
            renamed[name] = found
    return renamed


def _is_optional(kind: object) -> bool:
    return isinstance(kind, UnionType) and NoneType in get_args(kind)


def _optional(kind: type[Any], converter: BaseConverter) -> Callable[[object, object], object]:
    (inner,) = (each for each in get_args(kind) if each is not NoneType)
    structure_inner = converter.get_structure_hook(inner)
    if inner in NULL_AWARE:
        return structure_inner

    def hook(value: object, _: object) -> object:
        return None if value is None else structure_inner(value, inner)

    return hook


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _rows(kind: type[Any], converter: BaseConverter) -> Callable[[object, type[Any]], Any]:
    from_iterable = homogenous_tuple_structure_factory(kind, converter)

    def hook(value: object, kind: type[Any]) -> object:
        if type(value) is not list:
            refuse("an array", value)
        return from_iterable(cast("list[object]", value), kind)

    return hook


def _converter(*, detailed_validation: bool) -> BaseConverter:
    converter = BaseConverter(detailed_validation=detailed_validation)
    converter.register_structure_hook_factory(attrs.has, _model)
    converter.register_structure_hook_factory(_is_tuple, _rows)
    converter.register_structure_hook_factory(_is_optional, _optional)
    converter.register_structure_hook_func(lambda kind: kind == Mapping[str, object], exactly(dict))
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, exactly(scalar))
    # The id of a sender, campaign or account is in every row of a page: one object serves all.
    texts: list[tuple[type[Any], str, Callable[[Any, object], object]]] = [
        (UUID, "a UUID", uuid(lru_cache(maxsize=1024)(to_uuid))),
        (datetime, "an aware date-time", timestamp),
        (Decimal, "a decimal string", decimal),
        *((enum, "a string", open_enum(enum)) for enum in OpenEnum.__subclasses__()),
    ]
    for kind, expected, parse in texts:
        hook = expecting(expected, parse) if detailed_validation else parse
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook(CallInfo, lambda info, _: info)
    return converter


_quick = _converter(detailed_validation=False)


@cache
def _careful() -> BaseConverter:
    return _converter(detailed_validation=True)
