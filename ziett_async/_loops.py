"""Event loops of asyncio and trio, as far as anyio has nothing for it."""

import sys
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from anyio.lowlevel import current_token

CallSoon = Callable[[Callable[[], object]], object]


def call_soon_here() -> CallSoon:
    """Return a function that schedules another in this event loop, from any thread."""
    loop: Any = current_token().native_token
    call: CallSoon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    return call


#: asyncio itself does not keep a task from the garbage collector.
_background = set[object]()


def start_in_background(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a function in a task of its own, which no task waits for.

    It ends at the latest with the event loop. It must not raise: trio ends the program then.
    """
    loop: Any = current_token().native_token
    if hasattr(loop, "run_sync_soon"):
        # The package itself does not need trio, so it is found where it runs.
        lowlevel = sys.modules["trio"].lowlevel
        lowlevel.spawn_system_task(function, context=copy_context())
    else:
        task = loop.create_task(function())
        _background.add(task)
        task.add_done_callback(_background.discard)
