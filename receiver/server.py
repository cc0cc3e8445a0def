"""How `web` listens, stops, and notices that it has stalled.

*Listens*: on a socket that it inherits (systemd's protocol: LISTEN_FDS, LISTEN_PID), else on HOST and PORT. An
inherited socket stays open during a restart, so clients that connect then wait and aren't refused.
*Stops*: accepts no new connection, serves the others for a moment and tells each client to close, then ends.
*Stalled*: if the event loop doesn't turn for seconds, the process ends itself, so that it is started again.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import uvicorn

from shared.garbage_collection import freeze_loaded_objects
from shared.liveness.watchdog import Sign, StallLimits, Watchdog

# The number of the first inherited socket (systemd, "sd_listen_fds").
_FIRST_INHERITED: Final = 3
# After the order to stop a client that has connected may still send its request within this time.
LINGER: Final = timedelta(seconds=1)
_STALLED_AFTER: Final = timedelta(seconds=8)


class Server(uvicorn.Server):
    """uvicorn, with a stop that drops no request, and a watchdog for its event loop."""

    def __init__(self, config: uvicorn.Config, *, when_serving: Callable[[], None] = lambda: None) -> None:
        """`when_serving` is called once, when requests are accepted. It must not block."""
        super().__init__(config)
        self._when_serving = when_serving
        self._ticks = 0
        self._ticks_seen = 0
        self._watchdog = Watchdog(self._look, StallLimits(idle=_STALLED_AFTER, busy=_STALLED_AFTER))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and start the watchdog."""
        await super().startup(sockets)
        freeze_loaded_objects()
        self._watchdog.start()
        if self.started:
            self._when_serving()

    async def on_tick(self, counter: int) -> bool:
        """Note that the loop turns: uvicorn calls this ten times a second."""
        self._ticks += 1
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, give clients LINGER to finish and close, then end as uvicorn does."""
        self._watchdog.stop()
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(LINGER.total_seconds())
        await super().shutdown([])

    def _look(self) -> Sign:
        moved, self._ticks_seen = self._ticks != self._ticks_seen, self._ticks
        return Sign(moved=moved, has_work=True)


def inherited_sockets() -> list[socket.socket] | None:
    """Return the listening socket that systemd gave to this process; None if there is none."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS", "0") == "0":
        return None
    return [socket.socket(fileno=_FIRST_INHERITED)]


def shared_socket(host: str, port: int) -> socket.socket:
    """Bind an address that other processes of this user may bind too (SO_REUSEPORT); each gets a share of connections.

    Raises OSError if the system can't share a port, or if a process that doesn't share it listens there.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    return listening
