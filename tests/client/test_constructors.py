"""What the public values and ports may be made of: a wrong argument is refused by its name."""

from collections.abc import Callable, Mapping
from math import inf, nan
from typing import Any

import pytest

from ziett_async import Rate, RetryPolicy, TokenBucketLimiter
from ziett_async.transports import HttpxTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport

#: Wrong for every argument of these; each constructor has more, where they mean something.
WRONG: Mapping[str, object] = {
    "a string": "1",
    "bytes": b"1",
    "a list": [1],
    "a mapping": {},
    "an object": object(),
    "minus one": -1,
    "nan": nan,
    "infinity": inf,
    "an integer that is no float": -(10**400),
    "a class": Rate,
    "a set": {1},
}
TOO_LARGE: Mapping[str, object] = {"too large for a float": 10**400}
NOTHING: Mapping[str, object] = {"None": None}
BOOLEAN: Mapping[str, object] = {"a boolean": True}
FRACTION: Mapping[str, object] = {"a fraction": 1.5}

SECONDS = {**WRONG, **TOO_LARGE, **NOTHING, **BOOLEAN}
COUNT = {**WRONG, **NOTHING, **BOOLEAN, **FRACTION, "nought": 0}
RATES = {**WRONG, **TOO_LARGE, **NOTHING, **BOOLEAN, **FRACTION, "no rate": ()}
OPTIONAL = {**WRONG, **TOO_LARGE, **BOOLEAN, **FRACTION}
HTTP = {
    "max_connections": COUNT,
    "max_response_bytes": COUNT,
    "connect_timeout": SECONDS,
    "keepalive": SECONDS,
    "ssl_context": OPTIONAL,
}
ARGUMENTS: Mapping[Callable[..., object], Mapping[str, Mapping[str, object]]] = {
    RetryPolicy: {
        "attempts": COUNT,
        "base": SECONDS,
        "cap": SECONDS,
        "longest_retry_after": SECONDS,
        "budget": COUNT,
        "jitter": {name: each for name, each in SECONDS.items() if name != "a class"},
    },
    Rate: {"limit": COUNT, "per": {**SECONDS, "nought": 0}},
    TokenBucketLimiter: {
        **dict.fromkeys(("send", "list", "read", "batch"), RATES),
        "reserve": {**SECONDS, "all of it": 1},
        "clock": OPTIONAL,
    },
    HttpxTransport: HTTP,
    Httpx2Transport: HTTP,
    AiohttpTransport: HTTP,
}


@pytest.mark.parametrize(
    ("make", "name", "wrong"),
    [
        pytest.param(make, name, wrong, id=f"{getattr(make, '__name__', make)}-{name}-{label}")
        for make, arguments in ARGUMENTS.items()
        for name, values in arguments.items()
        for label, wrong in values.items()
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(
    make: Callable[..., object], name: str, wrong: object
) -> None:
    """At once, with what it must be, and no error from below."""
    others: dict[str, Any] = {"limit": 1} if make is Rate else {}
    with pytest.raises(ValueError, match=f"^{name}: must be |^{name}: must have "):
        make(**{**others, name: wrong})
