"""What tests of a limit shared by processes may ask for."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support import valkey
from tests.support.valkey import StoreServer, opened

_accounts = count()


@pytest.fixture(scope="session")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Lend a server that several tests use at once, each under accounts of its own."""
    if valkey.URL:
        yield valkey.URL
        return
    server = StoreServer(tmp_path_factory.mktemp("store")).start()
    yield server.url
    server.kill()


@pytest.fixture
def account() -> str:
    """Return an account that no other test has."""
    return f"test-{next(_accounts)}-{id(object())}"


@pytest.fixture
async def store(library: str, store_url: str) -> AsyncGenerator[Any]:
    """Open a client of a server; the module says of which library."""
    async with opened(library, store_url) as client:
        yield client


Serve = Callable[..., StoreServer]


@pytest.fixture
def new_server(tmp_path: Path) -> Generator[Serve]:
    """Make servers that the test may kill: `new_server("--maxmemory", "4mb")`."""
    with ExitStack() as stack:

        def serve(*options: str) -> StoreServer:
            folder = tmp_path / f"store{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            server = StoreServer(folder, *options)
            stack.callback(server.kill)
            return server

        yield serve
