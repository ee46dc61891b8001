"""What tests of a limit shared by processes may ask for."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.limits._failures import Open, opening
from tests.support import valkey
from tests.support.postgres import PostgresServer
from tests.support.stores import NewLimiter, Server, limiters
from tests.support.valkey import StoreServer

_accounts = count()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Lend a server that several tests use at once, each under accounts of its own."""
    if valkey.URL:
        yield valkey.URL
        return
    server = StoreServer(tmp_path_factory.mktemp("store")).start()
    yield server.url
    server.kill()


@pytest.fixture
def store_url(library: str, request: pytest.FixtureRequest) -> str:
    """Return the address of such a server, for the library of the module."""
    url: str = request.getfixturevalue("postgres_url" if library == "postgres" else "valkey_url")
    return url


@pytest.fixture
def account() -> str:
    """Return an account that no other test has."""
    return f"test-{next(_accounts)}-{id(object())}"


@pytest.fixture
async def new_limiter(library: str, store_url: str) -> AsyncGenerator[NewLimiter]:
    """Lend what makes a limiter over such a server: `new_limiter(reserve=0.5)`."""
    async with limiters(library, store_url) as new:
        yield new


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


@pytest.fixture(scope="session")
def breakable_postgres() -> Generator[PostgresServer]:
    """Lend a server that tests may kill; each starts it."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def server(way: str, request: pytest.FixtureRequest) -> Generator[Server]:
    """Lend a server that the test starts and may kill; what it has is lost afterwards."""
    if way.endswith("postgres"):
        found: PostgresServer = request.getfixturevalue("breakable_postgres")
        yield found
        found.kill()
    else:
        new_server: Serve = request.getfixturevalue("new_server")
        yield new_server()


@pytest.fixture
def limiting(way: str) -> Open:
    """Lend what opens a limiter over a server, for an `async with`."""
    return opening(way.partition("-")[2])
