"""Nobody is there, or nobody who speaks TLS; or somebody who leaves before he has read."""

import pytest

from tests.support.fault_runs import ATTEMPTS, SOCKETS, Open, Setting, Way, World, over
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
#: Longer than any name may be: the resolver refuses it without asking anybody.
NO_NAME = f"https://nosuch.{'.'.join(['x' * 60] * 5)}.invalid/c/v1"
#: A part longer than a part may be: Python refuses it before the resolver is asked.
NO_LABEL = f"https://{'x' * 70}.invalid/c/v1"


def tls_for(act: Act, seconds: float = SHORT) -> Setting:
    """Return a world with TLS, in a hurry where the handshake stalls."""
    return Setting(tls="trusted", attempt_timeout=seconds if act is stall_handshake else LONG)


async def is_not_sent(world: World) -> None:
    """Both a send and a read fail after all attempts, and the server has nothing."""
    world.stock()
    for call in (world.send, world.get, world.walk):
        with pytest.raises(NotSent) as caught:
            await call()
        assert caught.value.attempts == ATTEMPTS
    assert (world.accepted, world.yielded, len(world.entries)) == (0, [], 0)


@pytest.mark.fault("The connection is refused", send="tried again: one message")
async def test_refused_then_sent(world_over: Open) -> None:
    """A send that is refused is tried again, and is one message."""
    async with world_over("memory") as world:
        with world.script(Fault.refuse(), Fault.refuse()):
            accepted = await world.send()
        assert (accepted.call.attempts, world.accepted) == (3, 1)


@pytest.mark.fault("The connection is refused", read="tried again")
async def test_refused_then_read(world_over: Open) -> None:
    """A read that is refused is tried again."""
    async with world_over("memory") as world:
        rows = world.stock()
        with world.script(Fault.refuse()):
            assert (await world.get()).id == rows[0]
        with world.script(Fault.slow(0), Fault.refuse(), Fault.refuse()):
            assert await world.walk() == rows


@pytest.mark.fault("The connection is refused", send="every time: `NotSent`")
async def test_refused_every_time_in_memory(world_over: Open) -> None:
    """What is refused every time is certainly not sent."""
    async with world_over("memory") as world:
        with world.script(*[Fault.refuse()] * 3 * ATTEMPTS):
            await is_not_sent(world)


@pytest.mark.fault(
    "The connection is refused", send="every time: `NotSent`", read="every time: `NotSent`"
)
@pytest.mark.parametrize("way", SOCKETS)
async def test_refused_every_time(world_over: Open, way: Way) -> None:
    """A closed port is certainly not sent."""
    port = ClosedPort()
    async with world_over(way, Setting(base_url=f"{port.url}/c/v1")) as world:
        await is_not_sent(world)
    port.close()


@pytest.mark.fault("The host name does not resolve", send="`NotSent`", read="`NotSent`")
@pytest.mark.parametrize("way", SOCKETS)
@pytest.mark.parametrize("url", [NO_NAME, NO_LABEL], ids=["unknown", "impossible"])
async def test_no_such_host(world_over: Open, way: Way, url: str) -> None:
    """A name that cannot be resolved is certainly not sent."""
    async with world_over(way, Setting(base_url=url)) as world:
        await is_not_sent(world)


@pytest.mark.fault("The TLS handshake fails or stalls", send="tried again: one message")
@over(HANDSHAKES, SOCKETS)
async def test_a_handshake_that_fails_then_sent(world_over: Open, way: Way, mishap: Act) -> None:
    """After a handshake that fails or stalls a send is tried again, and is one message."""
    async with world_over(way, tls_for(mishap)) as world:
        with world.script(mishap):
            accepted = await world.send()
        assert (accepted.call.attempts, world.accepted) == (2, 1)


@pytest.mark.fault("The TLS handshake fails or stalls", read="tried again")
@over(HANDSHAKES, SOCKETS)
async def test_a_handshake_that_fails_then_read(world_over: Open, way: Way, mishap: Act) -> None:
    """After a handshake that fails or stalls a read is tried again."""
    async with world_over(way, tls_for(mishap)) as world:
        rows = world.stock()
        with world.script(mishap):
            assert await world.walk() == rows


@pytest.mark.fault("The TLS handshake fails or stalls", send="every time: `NotSent`")
@over(HANDSHAKES, SOCKETS)
async def test_handshakes_that_all_fail(world_over: Open, way: Way, mishap: Act) -> None:
    """Without one good handshake it is certainly not sent."""
    async with world_over(way, tls_for(mishap, SHORTEST)) as world:
        with world.script(*[mishap] * ATTEMPTS), pytest.raises(NotSent) as caught:
            await world.send()
        assert (caught.value.attempts, world.accepted, world.entries) == (ATTEMPTS, 0, [])


@pytest.mark.fault("The TLS handshake fails or stalls", read="every time: `NotSent`")
@over(HANDSHAKES, SOCKETS)
async def test_handshakes_that_all_fail_a_read(world_over: Open, way: Way, mishap: Act) -> None:
    """Without one good handshake a read says so, and yields nothing."""
    async with world_over(way, tls_for(mishap, SHORTEST)) as world:
        world.stock()
        with world.script(*[mishap] * ATTEMPTS), pytest.raises(NotSent):
            await world.walk()
        assert (world.yielded, world.entries) == ([], [])


@pytest.mark.fault(
    "The TLS handshake fails or stalls", send="every time: `NotSent`", read="every time: `NotSent`"
)
@pytest.mark.parametrize("way", SOCKETS)
async def test_an_untrusted_certificate(world_over: Open, way: Way) -> None:
    """A server that is not who it says it is gets nothing to read."""
    async with world_over(way, Setting(tls="untrusted")) as world:
        await is_not_sent(world)


@pytest.mark.fault("The TLS handshake fails or stalls", send="time is up: `DeadlineExceeded`")
@pytest.mark.parametrize("way", SOCKETS)
async def test_time_is_up_in_the_handshake(world_over: Open, way: Way) -> None:
    """When the deadline comes first, it is the deadline's error, and still not sent."""
    async with world_over(way, Setting(tls="trusted")) as world:
        with world.script(stall_handshake), pytest.raises(DeadlineExceeded):
            await world.send(timeout=0.2)
        assert world.accepted == 0


@pytest.mark.fault(
    "Reset, closed or silent before the request is read", send="tried again: one message"
)
@over(UNREAD)
async def test_unread_then_sent(world_over: Open, way: Way, mishap: Mishap) -> None:
    """A connection that breaks before the request is read: tried again, one message."""
    async with world_over(way) as world:
        with world.script(mishap, mishap):
            accepted = await world.send()
        assert (accepted.call.attempts, world.accepted) == (3, 1)


@pytest.mark.fault("Reset, closed or silent before the request is read", read="tried again")
@over(UNREAD)
async def test_unread_then_read(world_over: Open, way: Way, mishap: Mishap) -> None:
    """A connection that breaks before the request is read: a read is tried again."""
    async with world_over(way) as world:
        rows = world.stock()
        with world.script(mishap, mishap):
            assert await world.walk() == rows
        with world.script(mishap):
            assert (await world.get()).id == rows[0]


@pytest.mark.fault(
    "Reset, closed or silent before the request is read", send="every time: `OutcomeUnknown`"
)
@over(UNREAD)
async def test_unread_every_time(world_over: Open, way: Way, mishap: Mishap) -> None:
    """Nobody here can know that it was not read: the outcome is unknown, and repeatable."""
    async with world_over(way) as world:
        with world.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await world.send()
        assert world.accepted == 0
        number = world.sendings[0].number
        await world.send(key=caught.value.idempotency_key, number=number)
        assert world.accepted == 1


@pytest.mark.fault(
    "Reset, closed or silent before the request is read",
    send="tried again: one message",
    read="tried again",
)
@over([Fault.stall(executes=False), stall_unread])
async def test_a_stall_before_acceptance(world_over: Open, way: Way, mishap: Mishap) -> None:
    """A server that says nothing is left after the attempt's time, and asked again."""
    async with world_over(way, Setting(attempt_timeout=SHORT)) as world:
        rows = world.stock()
        with world.script(mishap):
            assert await world.walk() == rows
        with world.script(mishap):
            assert (await world.send()).call.attempts == 2
        assert world.accepted == 1
