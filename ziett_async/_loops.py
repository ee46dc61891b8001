"""Event loops of asyncio and trio, as far as they must be reached from elsewhere."""

from collections.abc import Callable
from typing import Any

from anyio.lowlevel import current_token

CallSoon = Callable[[Callable[[], object]], object]


def call_soon_here() -> CallSoon:
    """Return what calls a function in the running event loop, soon and from any thread."""
    loop: Any = current_token().native_token
    call: CallSoon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    return call
