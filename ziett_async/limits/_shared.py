"""Which clients share a limiter: those of one account, as far as this process can tell."""

from collections import deque
from functools import partial
from threading import Lock
from typing import cast
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import attrs

from ziett_async._clock import Clock, SystemClock
from ziett_async._sansio import Origin
from ziett_async.limits._base import Limiter
from ziett_async.limits._forks import register_at_fork
from ziett_async.limits._local import TokenBucketLimiter

_DEFAULT_PORTS = {"https": 443, "http": 80}


@attrs.define(eq=False)
class _Registry:
    """The shared limiters of a process; an unused one is dropped in time."""

    lock: Lock = attrs.field(factory=Lock)
    limiters: WeakValueDictionary[tuple[str, int | None], TokenBucketLimiter] = attrs.field(
        factory=WeakValueDictionary[tuple[str, int | None], TokenBucketLimiter]
    )
    #: The last ones that were looked up, kept alive so that a program that makes one
    #: client per request does not forget between two of them what it has sent.
    recent: deque[TokenBucketLimiter] = attrs.field(
        factory=partial(deque[TokenBucketLimiter], maxlen=64)
    )


_registry = _Registry()


def reset_after_fork() -> None:
    """Replace the lock, which a thread of the parent process may have held at a fork."""
    _registry.lock = Lock()


register_at_fork(after_in_child=reset_after_fork)


def shared_limiter(api_key: str, base_url: str, clock: Clock) -> TokenBucketLimiter:
    """Return the default limiter that all clients of one key, service and clock share.

    It stays the same as long as one of them uses it, and afterwards for 64 more calls of
    this function. Addresses that differ by case, default port, a trailing dot or a trailing
    slash are one service; every `SystemClock` is the same clock. The key is kept as a hash only.
    May be called from any thread. In a forked child the limiters are reset, with
    every token free.
    """
    name = (account_of(api_key, base_url), None if isinstance(clock, SystemClock) else id(clock))
    with _registry.lock:
        limiter = _registry.limiters.get(name) or TokenBucketLimiter(clock=clock)
        _registry.limiters[name] = limiter
        _registry.recent.append(limiter)
    return limiter


def limiter_for_account(limiter: Limiter, origin: Origin, attempt_timeout: float) -> Limiter:
    """Return what a limiter has for one account, if it tells accounts apart; else itself."""
    for_account = getattr(limiter, "for_account", None)
    if for_account is None:
        return limiter
    account = account_of(origin.api_key, origin.base_url)
    return cast("Limiter", for_account(account, attempt_timeout))


def account_of(api_key: str, base_url: str) -> str:
    """Return a name of what one key is at one service, from which neither can be read."""
    # It loads OpenSSL, which a client with a limiter of its own does not need.
    from hashlib import sha256  # noqa: PLC0415

    return sha256(f"{_service(base_url)} {api_key}".encode()).hexdigest()


def _service(base_url: str) -> str:
    """Return an address in the one form that all addresses of its service have."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").removesuffix(".")
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
