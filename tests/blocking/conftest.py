"""What the tests of the blocking client share: a service in memory, and clients of it."""

from collections.abc import Iterator

import pytest

from tests.support.samples import API_KEY, REMITTER
from ziett_async.blocking import Ziett
from ziett_async.testing import FakeTransport, FakeZiett


@pytest.fixture
def fake() -> FakeZiett:
    """Return a service without limits."""
    return FakeZiett(limits={})


@pytest.fixture
def client(fake: FakeZiett) -> Iterator[Ziett]:
    """Yield a client of it."""
    with Ziett(API_KEY, transport=FakeTransport(fake), default_remitter_id=REMITTER) as client:
        yield client
