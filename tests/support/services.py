"""A Ziett to test against, and the ways to it: in memory, or over a socket of this machine."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal, TypedDict, Unpack
from uuid import UUID

import attrs

from tests.support.samples import API_KEY, REMITTER
from ziett_async import (
    AsyncZiett,
    Limiter,
    ManualClock,
    RetryPolicy,
    SystemClock,
    Unlimited,
)
from ziett_async.testing import FakeTransport, FakeZiett

Way = Literal["memory", "socket"]
WAYS: tuple[Way, ...] = ("memory", "socket")

#: When the fakes' clocks begin.
START = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
#: Three attempts, as by default, and no second lost between them.
AT_ONCE = RetryPolicy(jitter=lambda: 0.0)


class Settings(TypedDict, total=False):
    """What a test may set of a client."""

    limiter: Limiter
    retry: RetryPolicy
    timeout: float
    attempt_timeout: float
    default_remitter_id: UUID | str | None
    default_country: str
    allowed_recipients: Collection[str]


@attrs.frozen
class Service:
    """One fake and a way to it.

    The fake's clock is moved by hand. In memory a client lives by it too; over a socket its
    client's clock is the machine's.
    """

    fake: FakeZiett
    clock: ManualClock
    #: Where the fake listens; None is in memory.
    base_url: str | None = None

    def client(self, api_key: str = API_KEY, **settings: Unpack[Settings]) -> AsyncZiett:
        """Return a client that waits for nothing, unless the settings say otherwise."""
        return AsyncZiett(
            api_key,
            base_url=self.base_url,
            transport=FakeTransport(self.fake) if self.base_url is None else None,
            limiter=settings.get("limiter", Unlimited()),
            retry=settings.get("retry", AT_ONCE),
            timeout=settings.get("timeout"),
            attempt_timeout=settings.get("attempt_timeout", 15.0),
            default_remitter_id=settings.get("default_remitter_id", REMITTER),
            default_country=settings.get("default_country"),
            allowed_recipients=settings.get("allowed_recipients"),
            clock=self.clock if self.base_url is None else SystemClock(),
        )
