"""Taking in connections: many a turn, and on after whatever went wrong with one."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest

from receiver import acceptor
from receiver.acceptor import Acceptor

Address = tuple[str, int]


class Greeter(asyncio.Protocol):
    """Says a word to whoever connects."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say it, and close."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


def accepting(
    make: Callable[[], asyncio.Protocol], drive: Callable[[Address, Acceptor], Awaitable[None]], room: int = 100
) -> None:
    """Let an acceptor run while `drive` does something with its address."""

    async def run() -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listening:
            taking = Acceptor(listening, make, most_a_turn=4, room=lambda: room)
            try:
                await asyncio.wait_for(drive(listening.getsockname(), taking), 10)
            finally:
                taking.close()

    asyncio.run(run())


async def said(address: Address) -> bytes:
    """Connect; return what is said until the other side closes."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        return await reader.read()
    finally:
        writer.close()


def test_more_than_a_turn_takes_are_all_served() -> None:
    """Who is left over is taken in the next turn."""

    async def drive(address: Address, _: Acceptor) -> None:
        assert await asyncio.gather(*(said(address) for _ in range(10))) == [b"hello"] * 10

    accepting(Greeter, drive)


def test_one_that_cannot_be_served_is_closed_and_the_next_is_served() -> None:
    """A protocol that can't even be made leaves nobody waiting."""
    made: list[int] = []

    def make() -> asyncio.Protocol:
        made.append(1)
        if len(made) == 1:
            raise LookupError("a bug")
        return Greeter()

    async def drive(address: Address, _: Acceptor) -> None:
        assert await said(address) == b""
        assert await said(address) == b"hello"

    accepting(make, drive)


def test_it_goes_on_when_there_are_files_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files have run out it doesn't try without a pause, and nobody is lost: who has connected waits."""
    tries: list[str] = []

    class OutOfFiles(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            tries.append("")
            if len(tries) == 1:
                raise OSError(errno.EMFILE, "no more files")
            return super().accept()

    monkeypatch.setattr("receiver.acceptor.socket.socket", OutOfFiles)
    monkeypatch.setattr(acceptor, "_PAUSE", 0.2)

    async def drive(address: Address, _: Acceptor) -> None:
        assert await said(address) == b"hello"
        # The failed one, the one that succeeded, and the look whether there are more.
        assert len(tries) == 3

    accepting(Greeter, drive)


def test_past_its_room_it_leaves_them_where_they_are() -> None:
    """They wait in the system's queue, and are neither served nor closed."""

    async def drive(address: Address, _: Acceptor) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(said(address), 0.3)

    accepting(Greeter, drive, room=0)


def test_who_has_connected_is_served_although_it_closes() -> None:
    """A stop resets nobody who came in time."""

    async def drive(address: Address, taking: Acceptor) -> None:
        # The loop doesn't turn between these two.
        clients = [socket.create_connection(address) for _ in range(10)]
        taking.close()
        for client in clients:
            client.settimeout(5)
            with client:
                assert await asyncio.to_thread(client.recv, 10) == b"hello"

    accepting(Greeter, drive)


def test_closed_it_takes_nobody() -> None:
    """And may be closed twice."""

    async def drive(address: Address, taking: Acceptor) -> None:
        taking.close()
        taking.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(said(address), 0.3)

    accepting(Greeter, drive)
