"""Runs for the fault tests."""

from contextlib import AbstractAsyncContextManager

import pytest

from tests.support.fault_runs import Open, Run, Setting, Way, open_run


@pytest.fixture
def run_over(caplog: pytest.LogCaptureFixture) -> Open:
    """Open a run: `run_over("httpx", Setting(tls="trusted"))`."""

    def opened(way: Way, setting: Setting | None = None) -> AbstractAsyncContextManager[Run]:
        return open_run(way, caplog, setting or Setting())

    return opened
