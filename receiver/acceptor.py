"""Takes in new connections, many a turn of the event loop.

libuv takes one a turn from a listening socket (since its version 1.47), and past capacity a turn takes a tenth of a
second and more: thousands who had connected waited for seconds, unread, behind those who were being served. This stands
beside the library's own way on the same socket; each connection goes to whichever comes first. It takes no more than
there is room for: past that the system's queue is the better place to wait in, and the library's way takes one a turn.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

import structlog

# Where files have run out a try costs as much as a connection, and the next turn is too soon for another.
_PAUSE: Final = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Acceptor:
    """Accepts from one listening socket, which stays its owner's."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        *,
        most_a_turn: int,
        room: Callable[[], int],
    ) -> None:
        """Start; to be called in the loop, in which `make` is called for each connection.

        `room` tells for how many more connections there is room, those aside that have not been made yet.
        """
        self._most_a_turn = most_a_turn
        self._room = room
        self._loop = asyncio.get_running_loop()
        # Of its own, because the loop watches each file for one alone.
        self._socket = socket.socket(fileno=os.dup(listening.fileno()))
        self._socket.setblocking(False)  # noqa: FBT003 - the library's
        self._make = make
        self._begun: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._go_on()

    def close(self) -> None:
        """Take in who has connected by now, as far as there is room, and accept nothing more. Idempotent.

        What was accepted goes on.
        """
        if self._socket.fileno() >= 0:
            self._take_in(self._room())
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        if self._pause is not None:
            self._pause.cancel()

    def _go_on(self) -> None:
        self._loop.add_reader(self._socket.fileno(), self._take_in_some)

    def _take_in_some(self) -> None:
        self._take_in(self._most_a_turn)

    def _take_in(self, most: int) -> None:
        for _ in range(min(most, self._room() - len(self._begun))):
            try:
                connection, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                log.warning("accept.failed", error=str(error))
                self._loop.remove_reader(self._socket.fileno())
                self._pause = self._loop.call_later(_PAUSE, self._go_on)
                return
            task = self._loop.create_task(self._begin(connection))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            protocol = self._make()
        except Exception:
            connection.close()
            log.exception("accept.crashed")
            return
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except Exception:
            # The loop has closed the file, whose number may be another's by now.
            connection.detach()
            log.exception("accept.crashed")
