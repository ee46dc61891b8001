"""What is tested where, and the servers that a recipe may ask for."""

from collections.abc import Generator
from importlib.util import find_spec

import pytest

from tests.support.postgres import PostgresServer

# Its server is heavy, so it comes with a session of nox of its own.
collect_ignore = [] if find_spec("temporalio") else ["test_temporal.py"]


@pytest.fixture(scope="session")
def postgres_url() -> Generator[str]:
    """Lend a server that several tests use, one after the other."""
    server = PostgresServer()
    try:
        yield server.start().url
    finally:
        server.remove()
