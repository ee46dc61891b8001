"""The way to the emulator, for programs that know only HTTP."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.http import Wire
from ziett_async import ManualClock
from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

#: Serves a fake: `wire_to(balance=0)`.
WireTo = Callable[..., Wire]

# The fuzzer has a session of its own: it loads itself into every pytest that can see it.
collect_ignore = [] if find_spec("schemathesis") else ["test_fuzz.py"]


@pytest.fixture
def wire_to() -> Generator[WireTo]:
    """Serve a fake of these settings over HTTP, for one test."""
    with ExitStack() as stack:

        def serving(**settings: Any) -> Wire:  # noqa: ANN401 (any of a fake's)
            clock = ManualClock()
            fake = FakeZiett(clock=clock, **settings)
            return Wire(fake, clock, stack.enter_context(Emulator(fake)).base_url)

        yield serving


@pytest.fixture
def wire(wire_to: WireTo) -> Wire:
    """Serve a fake as the API's current pages describe it."""
    return wire_to()
