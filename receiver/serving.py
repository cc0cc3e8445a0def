"""How `web` listens, stops, and notices that it hangs.

*Listens*: on a socket that it is handed (systemd's protocol: LISTEN_FDS, LISTEN_PID), else on HOST and PORT. A socket
that outlives the process keeps who connects during a restart waiting instead of refusing them.
*Stops*: takes no new connection, serves those it has for a moment more, telling each client to close, then ends.
*Hangs*: an event loop that doesn't turn for seconds serves nobody; the process ends, to be started anew.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import uvicorn

from receiver.acceptor import Acceptor
from receiver.connection_limits import TAKEN_WITHIN, ConnectionLimits
from shared.garbage import spare_what_is_loaded
from shared.watchdog import Patience, Sign, Watchdog

# systemd: the first socket that is handed over.
_FIRST_HANDED: Final = 3
# Who has connected but not yet sent its request when we are told to stop does so within this.
LINGER: Final = timedelta(seconds=1)
_HANGS_AFTER: Final = timedelta(seconds=8)


class Server(uvicorn.Server):
    """uvicorn, with a stop that drops nobody, and a watchdog."""

    def __init__(self, config: uvicorn.Config, limits: ConnectionLimits) -> None:
        super().__init__(config)
        self._limits = limits
        self._ticks = 0
        self._seen = 0
        self._acceptors: list[Acceptor] = []
        self._watchdog = Watchdog(self._look, Patience(idle=_HANGS_AFTER, busy=_HANGS_AFTER))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and to watch."""
        await super().startup(sockets)
        listening = [each for server in self.servers for each in server.sockets]
        a_turn = self._limits.accepted_a_turn
        for each in listening:
            self._bound_what_is_not_taken(each)
        self._acceptors = [Acceptor(each, self._protocol, most_a_turn=a_turn, room=self._room) for each in listening]
        spare_what_is_loaded()
        self._watchdog.start()

    async def on_tick(self, counter: int) -> bool:
        """Note that the loop turns: the library calls this ten times a second."""
        self._ticks += 1
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let clients finish and close, then end as the library does."""
        self._watchdog.stop()
        for acceptor in self._acceptors:
            acceptor.close()
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        # Also where no connection is left: one that was just accepted isn't in the list yet.
        await asyncio.sleep(LINGER.total_seconds())
        await super().shutdown([])

    def _bound_what_is_not_taken(self, listening: socket.socket) -> None:
        """Let the system forget answers that a client doesn't take: else it keeps them for hours after we have closed.

        Connections have it from the socket that they come from.
        """
        if hasattr(socket, "TCP_USER_TIMEOUT") and listening.family != socket.AF_UNIX:
            within = self._limits.request_within + TAKEN_WITHIN
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(within * 1000))

    def _room(self) -> int:
        return self._limits.connections - len(self.server_state.connections)

    def _protocol(self) -> asyncio.Protocol:
        # As the library makes them, which keeps its own way to itself.
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def _look(self) -> Sign:
        moved, self._seen = self._ticks != self._seen, self._ticks
        return Sign(moved=moved, has_work=True)


def handed_sockets() -> list[socket.socket] | None:
    """Return the listening socket that was handed to this very process; None where there is none."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS", "0") == "0":
        return None
    return [socket.socket(fileno=_FIRST_HANDED)]
