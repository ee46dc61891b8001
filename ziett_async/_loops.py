"""Calling into an event loop of asyncio or trio from outside it."""

from collections.abc import Callable
from typing import Any

from anyio.lowlevel import current_token

CallSoon = Callable[[Callable[[], object]], object]


def call_soon_here() -> CallSoon:
    """Return a function that schedules another in this event loop, from any thread."""
    loop: Any = current_token().native_token
    call: CallSoon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    return call
