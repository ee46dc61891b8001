"""Plain HTTP to a fake, in memory and over a socket, for the rules of the service."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from tests.conftest import Serve
from tests.support.service_client import ServiceClient

#: Serves a fake: `serve_api(balance=0)`.
ServeApi = Callable[..., ServiceClient]

# The fuzzer has a session of its own: it loads itself into every pytest that can see it.
collect_ignore = [] if find_spec("schemathesis") else ["test_fuzz.py"]


@pytest.fixture
def serve_api(serve: Serve) -> ServeApi:
    """Serve a fake of these settings for one test."""

    def serving(**settings: Any) -> ServiceClient:  # noqa: ANN401 (any of a fake's)
        return ServiceClient(serve(**settings))

    return serving


@pytest.fixture
def api(serve_api: ServeApi) -> ServiceClient:
    """Serve a fake as the API's current pages describe it."""
    return serve_api()
