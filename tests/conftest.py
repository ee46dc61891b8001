"""What every test may ask for."""

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run a test that is marked `anyio` on each event loop."""
    return str(request.param)
