"""Listening and accepting on loopback."""

import errno
import socket
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from ziett_async.emulator._tcp import Peer, accept, listen
from ziett_async.testing.emulator import Emulator


def test_it_listens_on_loopback_only() -> None:
    """At one address, which other machines cannot reach, unless it is given another."""
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    with listen(0, "0.0.0.0") as listener:  # noqa: S104 (that is what is tested)
        assert listener.getsockname()[0] == "0.0.0.0"  # noqa: S104 (the same)


def test_a_port_that_is_taken_is_an_error(emulator: Emulator) -> None:
    """On entering."""
    with pytest.raises(OSError, match="in use"), Emulator(port=emulator.port):
        pass


class Exhausted(socket.socket):
    """A listener whose first `accept` finds no file descriptor left."""

    refusals = 1

    def accept(self) -> tuple[socket.socket, Any]:
        """Fail the first time."""
        self.refusals -= 1
        if self.refusals >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


@pytest.mark.anyio
async def test_accepting_is_tried_again_when_no_file_descriptor_is_left() -> None:
    """The client waits and is served."""
    plain = listen(0)
    listener = Exhausted(fileno=plain.detach())
    with socket.create_connection(listener.getsockname()):
        peer = await accept(listener)
        peer.close()
    listener.close()


@pytest.mark.anyio
async def test_a_second_reader_goes_on_waiting() -> None:
    """Readiness is a hint: another reader may have been quicker."""
    listener = listen(0)
    clients = [socket.create_connection(listener.getsockname())]
    ends, twins = [listener, listener.dup()], [Peer(clients[0]), Peer(clients[0].dup())]
    peers, received = list[Peer](), list[bytes]()

    async def take(each: socket.socket) -> None:
        peers.append(await accept(each))

    async def receive(peer: Peer) -> None:
        received.append(await peer.receive())

    async with anyio.create_task_group() as tasks:
        for each in ends:
            tasks.start_soon(take, each)
        while not peers:
            await checkpoint()
        clients.append(socket.create_connection(listener.getsockname()))
    async with anyio.create_task_group() as tasks:
        await peers[0].send(b"1")
        for twin in twins:
            tasks.start_soon(receive, twin)
        while not received:
            await checkpoint()
        await peers[0].send(b"2")
    assert received == [b"1", b"2"]
    for end in (*ends, *clients):
        end.close()
    for peer in (*peers, *twins):
        peer.close()
