"""A real reverse proxy in front of the emulator: what it answers when the service has acted."""

from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from random import Random

import anyio
import attrs
import pytest

from tests.support.examples import readme_function
from tests.support.fault_runs import API_KEY, ATTEMPTS
from tests.support.nginx import Nginx, needs_nginx
from tests.support.samples import REMITTER
from ziett_async import (
    AsyncZiett,
    NotSent,
    OutcomeUnknown,
    RetryPolicy,
    Unlimited,
    ZiettError,
)
from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing.emulator import Emulator

pytestmark = [pytest.mark.anyio, needs_nginx]

NUMBER = "+244923550001"
#: Seconds that nginx waits for the service, and that the service takes longer once in a while.
PATIENCE, TOO_LONG = 0.3, 0.5
#: What becomes of one send in ten at the service, and what nginx makes of it.
UPSTREAM = {502: Fault.lose_answer(), 504: Fault.slow(TOO_LONG)}
#: Codes that a storm sends.
SENDS = 1000
AT_ONCE = RetryPolicy(base=0.001, cap=0.001)

Send = Callable[[AsyncZiett, str, str, str], Awaitable[object]]


@attrs.frozen
class Site:
    """The service, and nginx in front of it."""

    service: FakeZiett
    nginx: Nginx

    def client(self, retry: RetryPolicy | None = None) -> AsyncZiett:
        """Return a client that waits for no limit, and speaks to nginx."""
        return AsyncZiett(
            API_KEY,
            base_url=self.nginx.base_url,
            limiter=Unlimited(),
            retry=retry,
            default_remitter_id=REMITTER,
        )


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    """Serve a Ziett behind nginx."""
    with Emulator(FakeZiett(limits={})) as emulator:
        nginx = Nginx(tmp_path, emulator.port, read_timeout=PATIENCE)
        nginx.start()
        yield Site(emulator.service, nginx)
        nginx.kill()


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="nginx: one message, its id")
@pytest.mark.parametrize("status", UPSTREAM)
async def test_a_gateway_error_of_nginx_is_no_refusal(site: Site, status: int) -> None:
    """The message is accepted, nginx answers 502 or 504, and the key gives the message's id."""
    async with site.client(AT_ONCE) as client:
        with site.service.script(UPSTREAM[status]):
            accepted = await client.send_message(NUMBER, content="Olá")
        assert accepted.call.attempts >= 2
        every_time = [UPSTREAM[status]] * ATTEMPTS
        with site.service.script(*every_time), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content="Adeus")
        assert (caught.value.status, caught.value.attempts) == (status, ATTEMPTS)
        key = caught.value.idempotency_key
        again = await client.send_message(NUMBER, content="Adeus", idempotency_key=key)
    assert [each.id for each in site.service.messages] == [accepted.message_id, again.message_id]


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="then refused: still unknown")
async def test_nginx_is_gone_after_its_gateway_error(site: Site) -> None:
    """A refused connection after a 502 is not `NotSent`; for another message it is."""

    def kill_nginx() -> float:
        site.nginx.kill()
        return 0.0

    # The jitter of a pause is drawn between two attempts.
    async with site.client(RetryPolicy(jitter=kill_nginx)) as client:
        with site.service.script(Fault.lose_answer()), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content="Olá")
        assert caught.value.attempts == ATTEMPTS
        with pytest.raises(NotSent):
            await client.send_message(NUMBER, content="Adeus")
        assert len(site.service.messages) == 1


class Storm:
    """Many codes at once, while nginx is killed again and again and answers get lost."""

    def __init__(self, site: Site, send: Send, sends: int) -> None:
        self.restarts = 0
        self._site, self._send = site, send
        self._numbers = iter([f"+244923{index:06}" for index in range(sends)])
        self._random = Random(7)  # noqa: S311 - a storm, and no secret

    async def run(self) -> Counter[int]:
        """Let it pass; return how many numbers got how many messages."""
        with anyio.fail_after(120):
            async with self._site.client() as client, anyio.create_task_group() as background:
                background.start_soon(self._restart)
                async with anyio.create_task_group() as tasks:
                    for _ in range(50):
                        tasks.start_soon(self._work, client)
                background.cancel_scope.cancel()
        messages = self._site.service.messages
        return Counter(Counter(each.target_e164 for each in messages).values())

    async def _work(self, client: AsyncZiett) -> None:
        for number in self._numbers:
            mishap = self._random.choice([*UPSTREAM.values(), *[Fault.slow(0)] * 18])
            self._site.service.faults.add(mishap)
            await self._send(client, number, "482910", f"code-for-{number}")

    async def _restart(self) -> None:
        while True:
            await anyio.sleep(self._random.uniform(0.1, 0.3))
            self._site.nginx.kill()
            await anyio.sleep(self._random.uniform(0.0, 0.2))
            await anyio.to_thread.run_sync(self._site.nginx.start)
            self.restarts += 1


async def new_key_after_an_error(client: AsyncZiett, number: str, code: str, _: str) -> None:
    """Take an error for 'not sent', and send again as if it were another message."""
    while True:
        try:
            await client.send_message(number, content=code)
        except ZiettError:
            await anyio.sleep(0.1)
        else:
            return


@pytest.mark.fault(
    "nginx is killed and restarted amid 502s and 504s", send="1,000 sends: 1,000 messages"
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # The example's own.
async def test_the_readmes_example_sends_once_behind_nginx(site: Site) -> None:
    """Through restarts, 502s and 504s, so many sends are so many messages."""
    storm = Storm(site, readme_function("send_code"), SENDS)
    assert await storm.run() == {1: SENDS}
    replayed = sum(arrival.replayed for arrival in site.service.requests)
    assert storm.restarts > 1
    assert replayed > SENDS / 20


@pytest.mark.naive("A new key after an error", "two messages after a proxy's 502")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_new_key_after_an_error_sends_twice_behind_nginx(site: Site) -> None:
    """The same storm finds out: some numbers get a second message."""
    storm = Storm(site, new_key_after_an_error, SENDS)
    assert max(await storm.run()) > 1
