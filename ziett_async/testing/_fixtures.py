"""What the pytest plugin needs from the package, imported only for a test that uses it."""

from collections.abc import Generator
from contextlib import contextmanager, suppress

from ziett_async._client import AsyncZiett
from ziett_async._fake.fake import FakeZiett
from ziett_async._settings import without_environment
from ziett_async.testing._transport import FakeTransport

#: What the fake takes for an API key and for a sender. No server listens at the address.
_KEY, _BASE_URL = "zk_test_pytest", "http://localhost/c/v1"
_REMITTER = "019b4b56-e704-7c30-83a0-527df63c3e00"


class _LooplessTransport(FakeTransport):
    """Closes where no event loop runs, as none does around a synchronous fixture."""

    async def aclose(self) -> None:
        self._closed = True


@contextmanager
def client_of(fake: FakeZiett) -> Generator[AsyncZiett]:
    """Yield a client that does not read the environment and belongs to no event loop."""
    with without_environment():
        client = AsyncZiett(
            _KEY,
            base_url=_BASE_URL,
            transport=_LooplessTransport(fake),
            default_remitter_id=_REMITTER,
        )
    try:
        yield client
    finally:
        # Awaited by hand: it never waits, so its first step is its last.
        with suppress(StopIteration):
            client.aclose().send(None)
