"""Children of this process by `fork()`, whose failure is the test's."""

import os
import signal
from collections.abc import Callable

import pytest

#: Skips a test where there are no children of this kind.
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
#: For tests that fork beside threads, of which Python 3.12 and later warn.
forks_beside_threads = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def fork(run: Callable[[], object]) -> int:
    """Start a child that runs this, for 20 seconds at most; return its process id."""
    if child := os.fork():
        return child
    status = 1
    try:
        signal.alarm(20)
        run()
        status = 0
    finally:
        os._exit(status)


def wait_for(child: int) -> None:
    """Wait for a child, and check that its run ended well."""
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child's run did not end well: {status}"


def in_a_child(run: Callable[[], object]) -> None:
    """Run this in a child, which must end well."""
    wait_for(fork(run))
