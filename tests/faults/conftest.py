"""Worlds for the fault tests."""

from contextlib import AbstractAsyncContextManager

import pytest

from tests.support.fault_runs import Open, Setting, Way, World, open_world


@pytest.fixture
def world_over(caplog: pytest.LogCaptureFixture) -> Open:
    """Open a world: `world_over("httpx", Setting(tls="trusted"))`."""

    def opened(way: Way, setting: Setting | None = None) -> AbstractAsyncContextManager[World]:
        return open_world(way, caplog, setting or Setting())

    return opened
