"""What every transport must do, as tests: subclass `TransportConformance` and name yours.

```python
from ziett_async.testing.conformance import TransportConformance


class TestMine(TransportConformance):
    def make_transport(self):
        return MyTransport()
```

The tests run over real sockets on loopback, on asyncio and trio unless your own
`anyio_backend` fixture chooses otherwise. They need pytest, and take a second or two.
"""

import gzip
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import anyio
import pytest

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Fault
from ziett_async._fake.quotas import Quota
from ziett_async._wire import Request, Response, SendFailed
from ziett_async.testing.emulator import Emulator
from ziett_async.transports._base import Transport

_BODY = (
    '{"remitter_id":"019b4b56-e704-7c30-83a0-527df63c3e00","channel_type":"SMS",'
    '"target_e164":"+244990090990","content":"Olá, são 8 €"}'
).encode()
_JSON = ("content-type", "application/json")


def _send(base_url: str, key: str, timeout: float | None = 5.0) -> Request:
    headers = (("x-api-key", "zk_test_x"), _JSON, ("idempotency-key", key))
    return Request("POST", f"{base_url}/messages", headers, _BODY, timeout)


@pytest.mark.anyio
class TransportConformance:
    """The port's contract, one test for each sentence of it."""

    def make_transport(self) -> Transport:
        """Return a new transport; override this."""
        raise NotImplementedError

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[tuple[Transport, FakeZiett, str]]:
        """Yield a transport, a service and the address at which it reaches that service."""
        async with Emulator(FakeZiett(limits={"send": Quota(10_000)})) as emulator:
            transport = self.make_transport()
            try:
                yield transport, emulator.service, emulator.base_url
            finally:
                await transport.aclose()

    async def test_it_sends_these_bytes_and_returns_the_answer(self) -> None:
        """Method, path, headers and body arrive as given; status and body come back."""
        async with self.connect() as (transport, service, url):
            response = await transport.send(_send(url, "k1"))
            (arrival,) = service.requests
            (message,) = service.messages
        assert (arrival.method, arrival.idempotency_key) == ("POST", "k1")
        assert message.content == "Olá, são 8 €"
        assert response.status == 202
        assert str(message.id).encode() in response.body

    async def test_a_query_arrives_as_it_is_quoted(self) -> None:
        """The URL is used as it is: nothing is quoted again, nothing is normalised."""
        query = "q=%2B244990&status=SENT&status=FAILED"
        async with self.connect() as (transport, service, url):
            headers = (("x-api-key", "zk_test_x"),)
            response = await transport.send(Request("GET", f"{url}/messages?{query}", headers))
            (arrival,) = service.requests
        assert response.status == 200
        assert arrival.query == query

    @pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 401, 429, 500, 503, 504])
    async def test_every_status_is_an_answer(self, status: int) -> None:
        """Nothing is raised for a status, no redirect is followed, nothing is sent again."""
        async with self.connect() as (transport, service, url):
            headers = (("location", f"{url}/messages"), ("retry-after", "0"))
            with service.script(Fault.status(status, headers=headers, body=b"")):
                response = await transport.send(_send(url, "k1"))
            assert len(service.requests) == 1
        assert response.status == status
        assert response.header("Retry-After") == "0"

    async def test_a_body_is_returned_as_it_came(self) -> None:
        """No content encoding is undone: a bomb stays as small as it is on the wire."""
        packed = gzip.compress(b"0" * 100_000)
        headers = (_JSON, ("content-encoding", "gzip"))
        async with self.connect() as (transport, service, url):
            with service.script(Fault.status(200, headers=headers, body=packed)):
                response = await transport.send(_send(url, "k1"))
        assert response.body == packed
        assert response.header("content-encoding") == "gzip"

    async def test_a_refused_connection_has_not_reached_the_server(self) -> None:
        """Where no server listens, `SendFailed` has `reached=False`."""
        async with self.connect() as (transport, _, _):
            nowhere = f"http://127.0.0.1:{_unused_port()}/c/v1"
            with pytest.raises(SendFailed) as caught:
                await transport.send(_send(nowhere, "k1"))
        assert not caught.value.reached

    @pytest.mark.parametrize(
        "fault", [Fault.reset(), Fault.lose_answer(), Fault.truncate(5)], ids=str
    )
    async def test_a_broken_answer_may_have_reached_the_server(self, fault: Fault) -> None:
        """After the request was sent, a connection that breaks is never 'not reached'."""
        async with self.connect() as (transport, service, url):
            with service.script(fault), pytest.raises(SendFailed) as caught:
                await transport.send(_send(url, "k1"))
            assert len(service.requests) <= 1
        assert caught.value.reached

    async def test_the_timeout_is_for_the_whole_attempt(self) -> None:
        """When it is up `send` fails as timed out, and as reached if the request was sent."""
        async with self.connect() as (transport, service, url):
            with (
                anyio.fail_after(2),
                service.script(Fault.stall()),
                pytest.raises(SendFailed) as caught,
            ):
                await transport.send(_send(url, "k1", timeout=0.2))
        assert caught.value.timed_out
        assert caught.value.reached

    async def test_a_cancelled_send_leaves_nothing_behind(self) -> None:
        """After any number of cancelled sends the next one is answered, and with its own."""
        async with self.connect() as (transport, service, url):
            for number in range(20):
                service.faults.add(Fault.stall())
                with anyio.move_on_after(0.001 * number):
                    await transport.send(_send(url, f"cancelled {number}"))
                # It may have been cancelled before it got there.
                service.faults.clear()
            response = await transport.send(_send(url, "k1"))
            own = [str(each.id) for each in service.messages if each.idempotency_key == "k1"]
        assert [each for each in own if each.encode() in response.body] != []

    async def test_many_at_once_get_their_own_answers(self) -> None:
        """Concurrent sends neither wait for each other for ever nor mix up their answers."""
        answers: dict[str, Response] = {}
        async with self.connect() as (transport, service, url):

            async def one(key: str) -> None:
                answers[key] = await transport.send(_send(url, key))

            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(one, str(uuid4()))
            own = {str(each.idempotency_key): str(each.id) for each in service.messages}
        assert own.keys() == answers.keys()
        assert all(own[key].encode() in answer.body for key, answer in answers.items())

    async def test_it_closes_twice_and_sends_no_more(self) -> None:
        """A second `aclose` does nothing; a closed transport refuses, and sends nothing."""
        async with self.connect() as (transport, service, url):
            await transport.send(_send(url, "k1"))
            await transport.aclose()
            await transport.aclose()
            with pytest.raises(SendFailed) as caught:
                await transport.send(_send(url, "k2"))
            assert len(service.requests) == 1
        assert not caught.value.reached


def _unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
