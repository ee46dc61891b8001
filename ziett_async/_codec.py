"""JSON: values to bytes, bytes to values, and values to models."""

import json
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

from ziett_async._wire import Undecodable

__all__ = ["Undecodable", "decode", "encode", "structure"]

T = TypeVar("T")


def encode(body: object) -> bytes:
    """Return a JSON value as compact UTF-8."""
    return _encoder.encode(body).encode()


def decode(body: bytes) -> object:
    """Return the JSON value of a body; raises `Undecodable` with the reason if there is none."""
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
            return cast("object", value)
        reason = "is not JSON"
    message = f"the body {reason}"
    raise Undecodable(message)


def structure(payload: object, kind: type[T]) -> T:
    """Return a JSON value as a model; raises `Undecodable` with the path of a wrong field."""
    result: T = _structure_function(kind)(payload)
    return result


@cache
def _structure_function(kind: Hashable) -> Callable[[object], Any]:
    # cattrs is a large part of the import time, and unused until the first answer.
    from ziett_async._structuring import structure_function  # noqa: PLC0415

    return structure_function(cast("type[Any]", kind))


_WHITESPACE = " \t\n\r"
# Without the check, too, a body that contains itself ends in a RecursionError.
_encoder = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
)


def _no_constants(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_no_constants)
