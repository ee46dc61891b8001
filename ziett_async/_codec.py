"""JSON: values to bytes, bytes to values, and values to models."""

import json
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

from ziett_async._wire import Undecodable

__all__ = ["Undecodable", "chunks_function", "decode", "encode", "structure"]

T = TypeVar("T")


def encode(body: object) -> bytes:
    """Return a JSON value as compact UTF-8."""
    return "".join(_chunks(body, 0)).encode()


def decode(body: bytes) -> object:
    """Return the JSON value of a body.

    Raises:
        Undecodable: there is none; with the reason.

    """
    try:
        # The decoder's `decode` matches white space with two patterns, which takes as long as
        # to decode a short body.
        text = body.decode().strip(_WHITESPACE)
        value, end = _decoder.raw_decode(text)
    except RecursionError:
        reason = "is nested too deeply"
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    except ValueError:
        reason = "is not JSON" if body.strip() else "is empty"
    else:
        if end == len(text):
            return value
        reason = "is not JSON"
    message = f"the body {reason}"
    raise Undecodable(message)


def structure(payload: object, kind: type[T]) -> T:
    """Return a JSON value as a model.

    Raises:
        Undecodable: a field is wrong; with its path.

    """
    model: Any = kind
    result: T = _structure_function(model)(payload)
    return result


@cache
def _structure_function(kind: Hashable) -> Callable[[object], Any]:
    # cattrs is a large part of the import time, and unused until the first answer.
    from ziett_async._structuring import structure_function  # noqa: PLC0415

    return structure_function(cast("type[Any]", kind))


def chunks_function(make: Callable[..., Any] | None) -> Callable[[object, int], Iterable[str]]:
    """Return what gives the text of a value in chunks, all that `JSONEncoder` does for it.

    `JSONEncoder` makes this function anew for every value, with the C function `make` where
    Python has it. To make it takes as long as to encode a short body, so here it is made once.
    """
    # Without the check, too, a body that contains itself ends in a RecursionError.
    encoder = json.JSONEncoder(
        ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
    )
    if make is None:
        return lambda value, _: encoder.iterencode(value)
    made: Callable[[object, int], Iterable[str]] = make(
        None,
        encoder.default,
        json.encoder.encode_basestring,
        encoder.indent,
        encoder.key_separator,
        encoder.item_separator,
        encoder.sort_keys,
        encoder.skipkeys,
        encoder.allow_nan,
    )
    return made


_chunks = chunks_function(getattr(json.encoder, "c_make_encoder", None))
_WHITESPACE = " \t\n\r"


def _no_constants(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_no_constants)
