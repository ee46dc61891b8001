"""Clients as they are usually written, held to the same checks: each fails one of them.

They speak through `httpx.AsyncClient`. Where a test here passes, the check that fails it is
the one that the package's client passes, for the same fault of the same server.
"""

import logging
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import anyio
import httpx
import pytest

from tests.faults.test_strange_answers import forged
from tests.support import checks as check
from tests.support.checks import Entry, Sending
from tests.support.fault_runs import API_KEY, content_for
from tests.support.fault_server import FaultServer, Mishap, body_of, bomb, drip, unsolicited
from tests.support.samples import REMITTER
from ziett_async import SystemClock
from ziett_async.testing import FakeZiett, Fault

pytestmark = pytest.mark.anyio

NUMBER = "+244923550001"


class Naive:
    """A retry loop around `httpx.AsyncClient`, with its usual mistakes as switches."""

    def __init__(
        self,
        server: FaultServer,
        client: httpx.AsyncClient,
        *,
        key_per_attempt: bool,
        trusts_errors: bool,
    ) -> None:
        self.server = server
        self.sendings: list[Sending] = []
        self.client = client
        self._key_per_attempt = key_per_attempt
        self._trusts_errors = trusts_errors

    async def send(self, number: str = NUMBER) -> None:
        """Send, up to three times."""
        sending = Sending(number, content_for(number), timeout=1.0, key=str(uuid4()))
        self.sendings.append(sending)
        body = {
            "remitter_id": REMITTER,
            "channel_type": "SMS",
            "target_e164": number,
            "content": sending.content,
        }
        url = f"{self.server.url}/c/v1/messages"
        for _ in range(3):
            key = str(uuid4()) if self._key_per_attempt else str(sending.key)
            headers = {"x-api-key": API_KEY, "idempotency-key": key}
            with suppress(httpx.TransportError, httpx.HTTPStatusError):
                answer = await self.client.post(url, json=body, headers=headers)
                if answer.is_error and self._trusts_errors:
                    sending.key = str(uuid4())
                answer.raise_for_status()
                sending.key, sending.message_id = key, UUID(answer.json()["message_id"])
                return

    def check(self) -> None:
        """Hold it to the invariants."""
        messages = self.server.fake.messages
        check.check_messages(messages, self.sendings)
        heard = self.server.heard
        entries = [Entry(each.at, "send", each.key, each.digest) for each in heard]
        check.check_ledger(entries, self.sendings)


@asynccontextmanager
async def naive(
    *,
    key_per_attempt: bool = False,
    trusts_errors: bool = False,
    timeout: float = 5.0,
    follow_redirects: bool = False,
) -> AsyncGenerator[Naive]:
    """Lend a naive client and its server."""
    server = FaultServer(FakeZiett(clock=SystemClock()))
    async with (
        server.serving(),
        httpx.AsyncClient(timeout=timeout, follow_redirects=follow_redirects) as client,
    ):
        yield Naive(server, client, key_per_attempt=key_per_attempt, trusts_errors=trusts_errors)


@pytest.mark.naive("Any of these, without a fault", "passes, too")
async def test_nothing_goes_wrong() -> None:
    """Without a fault the checks find nothing, not even with a naive client."""
    async with naive() as client:
        await client.send()
        client.check()


@pytest.mark.naive("A key made for each attempt", "two messages for one lost answer")
@pytest.mark.parametrize("mishap", [Fault.lose_answer(), Fault.truncate(5)], ids=str)
async def test_a_key_per_attempt_sends_twice(mishap: Mishap) -> None:
    """A key made in the loop is another key in the next attempt: the recipient gets two."""
    async with naive(key_per_attempt=True) as client:
        with client.server.script(mishap):
            await client.send()
        with pytest.raises(AssertionError, match="two messages"):
            client.check()
        assert len(client.server.fake.messages) == 2


@pytest.mark.naive("A new key after an error", "two messages after a proxy's 502")
@pytest.mark.parametrize("status", [502, 504, 408])
async def test_a_new_key_after_an_error_sends_twice(status: int) -> None:
    """An error taken for 'not sent' makes a new message of the next attempt: two arrive."""
    async with naive(trusts_errors=True) as client:
        with client.server.script(Fault.lose_answer(), Fault.gateway_error(status)):
            await client.send()
        with pytest.raises(AssertionError, match="two messages"):
            client.check()
        assert len(client.server.fake.messages) == 2


@pytest.mark.naive("A timeout for each read", "never fires against one byte every 0.2 s")
@pytest.mark.check("Calls end in time")
async def test_a_timeout_per_read_never_fires() -> None:
    """Against one byte every 0.2 s, a limit of 0.3 s per read lets a call go on for ever."""
    async with naive(timeout=0.3) as client:
        begun = time.monotonic()
        with client.server.script(drip(body_only=False)), anyio.move_on_after(1.0):
            await client.send()
        elapsed = time.monotonic() - begun
        with pytest.raises(AssertionError, match="outlasted"):
            check.check_in_time([(elapsed, 0.3 * 3)], slack=0.05)
        assert len(client.server.heard) == 1


@pytest.mark.naive("`follow_redirects`", "key and message go to another origin")
async def test_a_redirect_takes_the_key_along() -> None:
    """`follow_redirects` drops `Authorization` at another origin, and no other header."""
    elsewhere = FaultServer(FakeZiett(clock=SystemClock()))
    async with naive(follow_redirects=True) as client, elsewhere.serving():
        headers = (("location", f"{elsewhere.url}/c/v1/messages"),)
        with client.server.script(Fault.status(307, headers=headers)):
            await client.send()
        assert [heard.key for heard in elsewhere.heard] == [client.sendings[0].key]
        assert elsewhere.fake.messages


@pytest.mark.naive("A connection used again whatever came on it", "a forged id")
async def test_an_unsolicited_answer_is_believed() -> None:
    """What comes after an answer in its segment is taken for the next one's."""
    async with naive() as client:
        with client.server.script(unsolicited(forged, later=None)):
            await client.send()
        await client.send("+244923550002")
        with pytest.raises(AssertionError, match="the server never gave"):
            client.check()


@pytest.mark.naive("The library's own logs and errors", "hold numbers and the API key")
async def test_an_error_of_the_library_tells_all(caplog: pytest.LogCaptureFixture) -> None:
    """The library logs whole URLs, numbers included, its errors hold request and key."""
    caplog.set_level(logging.DEBUG)
    async with naive() as client:
        url = f"{client.server.url}/c/v1/messages"
        with client.server.script(Fault.reset()), pytest.raises(httpx.TransportError) as caught:
            await client.client.get(url, headers={"x-api-key": API_KEY})
        await client.client.get(url, params={"q": NUMBER[1:]})
        assert caught.value.request.headers["x-api-key"] == API_KEY
        with pytest.raises(AssertionError, match="is in"):
            check.check_discreet([caplog.text], [NUMBER[1:]])
        with pytest.raises(AssertionError, match="Error"):
            check.check_error(caught.value)


@pytest.mark.naive("Content encodings undone", "a hundred times what was sent, in memory")
async def test_a_bomb_goes_off() -> None:
    """A client that undoes content encodings has a hundred times what was sent in memory."""
    size = 20 * (1 << 20)
    async with naive() as client:
        bomb_act = body_of("gzip bomb", lambda _: bomb(size), "gzip")
        with client.server.script(bomb_act):
            answer = await client.client.get(f"{client.server.url}/c/v1/messages")
        assert len(answer.content) == size


@pytest.mark.naive("A limiter that reads the wall clock", "a burst when it is set")
def test_a_bucket_on_the_wall_clock_bursts() -> None:
    """A limiter that reads the calendar lets twice the limit through when it is set."""
    offset, starts, returns = 0.0, list[float](), deque[float]()
    for now in range(10):
        offset = 3600.0 if now == 5 else offset
        while returns and returns[0] <= now + offset:
            returns.popleft()
        if len(returns) < 5:
            returns.append(now + offset + 60)
            starts.append(float(now))
    entries = [Entry(at, "send", None, "") for at in starts]
    with pytest.raises(AssertionError, match="arrivals in"):
        check.check_windows(entries, {"send": (5, 60.0)})
