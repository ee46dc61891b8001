"""The README's way to recover: one key, made before the first call, is one message.

The example is run as it is printed, in memory, against every sequence of what may happen to
its attempts; beside it, recoveries that make a new key after an error, which send twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import product

import pytest

from tests.support.examples import readme_function
from tests.support.samples import API_KEY, NUMBER, REMITTER
from ziett_async import AcceptedMessage, AsyncZiett, OutcomeUnknown, Unlimited, ZiettError
from ziett_async.testing import FakeTransport, FakeZiett, Fault

Send = Callable[[AsyncZiett, str, str, str], Awaitable[AcceptedMessage]]

CODE, KEY = "482910", "the-key-of-the-record"
send_code: Send = readme_function("send_code")
#: The message is sent, and the client does not learn it.
SENT = (Fault.lose_answer(), *(Fault.gateway_error(status) for status in (502, 504, 408)))
#: It is not.
NOT_SENT = (Fault.status(503), Fault.refuse())
#: The attempts of one call.
ATTEMPTS = 3


async def new_key_after_an_error(
    client: AsyncZiett, number: str, code: str, _: str
) -> AcceptedMessage:
    """Send again as if it were another message: any error is taken for 'not sent'."""
    try:
        return await client.send_message(number, content=code)
    except ZiettError:
        return await client.send_message(number, content=code)


async def key_of_the_error(client: AsyncZiett, number: str, code: str, _: str) -> AcceptedMessage:
    """Send again with the key of an unknown outcome; the next call has another one."""
    try:
        return await client.send_message(number, content=code)
    except OutcomeUnknown as error:
        key = error.idempotency_key
        return await client.send_message(number, content=code, idempotency_key=key)


async def messages_after(send: Send, faults: Sequence[Fault]) -> int:
    """Send one code through these faults; return how many messages the service has accepted."""
    fake = FakeZiett()
    async with client_of(fake) as client:
        with fake.script(*faults):
            accepted = await send(client, NUMBER, CODE, KEY)
    assert accepted.message_id in {message.id for message in fake.messages}
    return len(fake.messages)


def client_of(fake: FakeZiett) -> AsyncZiett:
    """Return a client of a service in memory, that waits for no limit."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        limiter=Unlimited(),
        default_remitter_id=REMITTER,
        clock=fake.clock,
    )


async def counts(send: Send, scripts: Sequence[Sequence[Fault]]) -> list[int]:
    """Return how many messages each of these scripts leaves, run side by side."""
    return await asyncio.gather(*(messages_after(send, script) for script in scripts))


def sequences(length: int) -> list[tuple[Fault, ...]]:
    """Return every sequence of so many faults."""
    return list(product(SENT + NOT_SENT, repeat=length))


@pytest.mark.promise(
    "With one key, made before the first call, no faults send twice: the README's example"
)
@pytest.mark.parametrize("length", range(ATTEMPTS + 1))
def test_the_readmes_example_sends_once(length: int) -> None:
    """Whatever happens to its first attempts, in whatever order."""
    scripts = sequences(length)
    assert asyncio.run(counts(send_code, scripts)) == [1] * len(scripts)


@pytest.mark.promise(
    "With one key, made before the first call, no faults send twice: the README's example"
)
def test_the_readmes_example_sends_once_at_every_position() -> None:
    """Each fault at each attempt of three calls; those before it have lost their answer."""
    before = [[Fault.lose_answer()] * count for count in range(3 * ATTEMPTS - 1)]
    scripts = [[*lost, fault] for lost in before for fault in SENT + NOT_SENT]
    assert asyncio.run(counts(send_code, scripts)) == [1] * len(scripts)


@pytest.mark.promise(
    "With one key, made before the first call, no faults send twice: the README's example"
)
def test_the_readmes_example_goes_on_after_a_restart() -> None:
    """With the stored key a client that knows nothing of the first one gets the same message."""
    fake = FakeZiett()

    async def run(*faults: Fault) -> AcceptedMessage:
        async with client_of(fake) as client:
            with fake.script(*faults):
                return await send_code(client, NUMBER, CODE, KEY)

    first, second = asyncio.run(run(Fault.gateway_error())), asyncio.run(run())
    assert first.message_id == second.message_id == fake.messages[0].id
    assert len(fake.messages) == 1


@pytest.mark.naive("A new key after an error", "two messages after a proxy's 502")
@pytest.mark.parametrize("fault", SENT, ids=str)
def test_a_new_key_after_an_error_sends_twice(fault: Fault) -> None:
    """A call that ends in an error may have sent; with another key it is another message."""
    assert asyncio.run(counts(new_key_after_an_error, [[fault] * ATTEMPTS])) == [2]


@pytest.mark.naive(
    "The key of an error, and a new one in the next call", "two messages when a call is made again"
)
@pytest.mark.parametrize("fault", SENT, ids=str)
def test_the_key_of_an_error_sends_twice_when_it_is_lost(fault: Fault) -> None:
    """An error's key serves where it is caught; the next call makes another one."""

    async def persistent(client: AsyncZiett, number: str, code: str, key: str) -> AcceptedMessage:
        try:
            return await key_of_the_error(client, number, code, key)
        except OutcomeUnknown:
            return await key_of_the_error(client, number, code, key)

    assert asyncio.run(counts(persistent, [[fault] * ATTEMPTS])) == [1]
    assert asyncio.run(counts(persistent, [[fault] * 2 * ATTEMPTS])) == [2]
