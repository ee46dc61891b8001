"""No server, a server without TLS, or one that disconnects before it has read."""

import pytest

from tests.support.fault_runs import ATTEMPTS, SOCKETS, Open, Run, Setting, Way, over
from tests.support.fault_server import (
    Act,
    ClosedPort,
    Mishap,
    break_handshake,
    close_handshake,
    close_unread,
    hang_up,
    reset_unread,
    speak_plainly,
    stall_handshake,
    stall_unread,
)
from ziett_async import DeadlineExceeded, NotSent, OutcomeUnknown
from ziett_async.testing import Fault

pytestmark = pytest.mark.anyio

#: Seconds for an attempt where all of them stall, where one does, and where none does.
SHORTEST, SHORT, LONG = 0.1, 0.25, 5.0
HANDSHAKES = [stall_handshake, break_handshake, close_handshake, speak_plainly, hang_up]
UNREAD: list[Mishap] = [Fault.reset(), hang_up, reset_unread, close_unread]
#: Longer than any name may be: the resolver refuses it without a query.
NO_NAME = f"https://nosuch.{'.'.join(['x' * 60] * 5)}.invalid/c/v1"
#: A part longer than a part may be: Python refuses it before the resolver is asked.
NO_LABEL = f"https://{'x' * 70}.invalid/c/v1"


def tls_for(act: Act, seconds: float = SHORT) -> Setting:
    """Return a setting with TLS, in a hurry where the handshake stalls."""
    return Setting(tls="trusted", attempt_timeout=seconds if act is stall_handshake else LONG)


async def is_not_sent(run: Run) -> None:
    """Both a send and a read fail after all attempts, and the server has nothing."""
    run.stock()
    for call in (run.send, run.get, run.walk):
        with pytest.raises(NotSent) as caught:
            await call()
        assert caught.value.attempts == ATTEMPTS
    assert (run.accepted, run.yielded, len(run.entries)) == (0, [], 0)


@pytest.mark.fault("The connection is refused", send="tried again: one message")
async def test_refused_then_sent(run_over: Open) -> None:
    """A send that is refused is tried again, and is one message."""
    async with run_over("memory") as run:
        with run.script(Fault.refuse(), Fault.refuse()):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (3, 1)


@pytest.mark.fault("The connection is refused", read="tried again")
async def test_refused_then_read(run_over: Open) -> None:
    """A read that is refused is tried again."""
    async with run_over("memory") as run:
        rows = run.stock()
        with run.script(Fault.refuse()):
            assert (await run.get()).id == rows[0]
        with run.script(Fault.slow(0), Fault.refuse(), Fault.refuse()):
            assert await run.walk() == rows


@pytest.mark.fault("The connection is refused", send="every time: `NotSent`")
async def test_refused_every_time_in_memory(run_over: Open) -> None:
    """What is refused every time is certainly not sent."""
    async with run_over("memory") as run:
        with run.script(*[Fault.refuse()] * 3 * ATTEMPTS):
            await is_not_sent(run)


@pytest.mark.fault(
    "The connection is refused", send="every time: `NotSent`", read="every time: `NotSent`"
)
@pytest.mark.parametrize("way", SOCKETS)
async def test_refused_every_time(run_over: Open, way: Way) -> None:
    """A closed port is certainly not sent."""
    port = ClosedPort()
    async with run_over(way, Setting(base_url=f"{port.url}/c/v1")) as run:
        await is_not_sent(run)
    port.close()


@pytest.mark.fault("The host name does not resolve", send="`NotSent`", read="`NotSent`")
@pytest.mark.parametrize("way", SOCKETS)
@pytest.mark.parametrize("url", [NO_NAME, NO_LABEL], ids=["unknown", "impossible"])
async def test_no_such_host(run_over: Open, way: Way, url: str) -> None:
    """A name that cannot be resolved is certainly not sent."""
    async with run_over(way, Setting(base_url=url)) as run:
        await is_not_sent(run)


@pytest.mark.fault("The TLS handshake fails or stalls", send="tried again: one message")
@over(HANDSHAKES, SOCKETS)
async def test_a_handshake_that_fails_then_sent(run_over: Open, way: Way, mishap: Act) -> None:
    """After a handshake that fails or stalls a send is tried again, and is one message."""
    async with run_over(way, tls_for(mishap)) as run:
        with run.script(mishap):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (2, 1)


@pytest.mark.fault("The TLS handshake fails or stalls", read="tried again")
@over(HANDSHAKES, SOCKETS)
async def test_a_handshake_that_fails_then_read(run_over: Open, way: Way, mishap: Act) -> None:
    """After a handshake that fails or stalls a read is tried again."""
    async with run_over(way, tls_for(mishap)) as run:
        rows = run.stock()
        with run.script(mishap):
            assert await run.walk() == rows


@pytest.mark.fault("The TLS handshake fails or stalls", send="every time: `NotSent`")
@over(HANDSHAKES, SOCKETS)
async def test_handshakes_that_all_fail(run_over: Open, way: Way, mishap: Act) -> None:
    """Without one good handshake it is certainly not sent."""
    async with run_over(way, tls_for(mishap, SHORTEST)) as run:
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(NotSent) as caught:
            await run.send()
        assert (caught.value.attempts, run.accepted, run.entries) == (ATTEMPTS, 0, [])


@pytest.mark.fault("The TLS handshake fails or stalls", read="every time: `NotSent`")
@over(HANDSHAKES, SOCKETS)
async def test_handshakes_that_all_fail_a_read(run_over: Open, way: Way, mishap: Act) -> None:
    """Without one good handshake a read says so, and yields nothing."""
    async with run_over(way, tls_for(mishap, SHORTEST)) as run:
        run.stock()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(NotSent):
            await run.walk()
        assert (run.yielded, run.entries) == ([], [])


@pytest.mark.fault(
    "The TLS handshake fails or stalls", send="every time: `NotSent`", read="every time: `NotSent`"
)
@pytest.mark.parametrize("way", SOCKETS)
async def test_an_untrusted_certificate(run_over: Open, way: Way) -> None:
    """A server that is not who it says it is gets nothing to read."""
    async with run_over(way, Setting(tls="untrusted")) as run:
        await is_not_sent(run)


@pytest.mark.fault("The TLS handshake fails or stalls", send="time is up: `DeadlineExceeded`")
@pytest.mark.parametrize("way", SOCKETS)
async def test_time_is_up_in_the_handshake(run_over: Open, way: Way) -> None:
    """When the deadline comes first, it is the deadline's error, and still not sent."""
    async with run_over(way, Setting(tls="trusted")) as run:
        with run.script(stall_handshake), pytest.raises(DeadlineExceeded):
            await run.send(timeout=0.2)
        assert run.accepted == 0


@pytest.mark.fault(
    "Reset, closed or silent before the request is read", send="tried again: one message"
)
@over(UNREAD)
async def test_unread_then_sent(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A connection that breaks before the request is read: tried again, one message."""
    async with run_over(way) as run:
        with run.script(mishap, mishap):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (3, 1)


@pytest.mark.fault("Reset, closed or silent before the request is read", read="tried again")
@over(UNREAD)
async def test_unread_then_read(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A connection that breaks before the request is read: a read is tried again."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(mishap, mishap):
            assert await run.walk() == rows
        with run.script(mishap):
            assert (await run.get()).id == rows[0]


@pytest.mark.fault(
    "Reset, closed or silent before the request is read", send="every time: `OutcomeUnknown`"
)
@over(UNREAD)
async def test_unread_every_time(run_over: Open, way: Way, mishap: Mishap) -> None:
    """The client cannot know that it was not read: the outcome is unknown, and repeatable."""
    async with run_over(way) as run:
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert run.accepted == 0
        number = run.sendings[0].number
        await run.send(key=caught.value.idempotency_key, number=number)
        assert run.accepted == 1


@pytest.mark.fault(
    "Reset, closed or silent before the request is read",
    send="tried again: one message",
    read="tried again",
)
@over([Fault.stall(executes=False), stall_unread])
async def test_a_stall_before_acceptance(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A server that says nothing is left after the attempt's time, and asked again."""
    async with run_over(way, Setting(attempt_timeout=SHORT)) as run:
        rows = run.stock()
        with run.script(mishap):
            assert await run.walk() == rows
        with run.script(mishap):
            assert (await run.send()).call.attempts == 2
        assert run.accepted == 1
