"""The server: uvicorn, taught to hang up without an answer, and to end soon when told to.

ASGI has no way to hang up on a caller before an answer has begun, and uvicorn would send a 500. So
each request finds in its scope a function that closes the transport beneath it.
"""

import sys
from asyncio import Transport
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.sandbox.responses import ABORT_EXTENSION

# Held connections (faults of the kind timeout) are cut off after that, so that SIGTERM ends the
# process within 2 s.
GRACE_SECONDS = 1


class HangUpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the way to hang up in the scope."""

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {ABORT_EXTENSION: self._hang_up}

    def _hang_up(self, gently: bool) -> None:  # noqa: FBT001 -- called by position, through the scope
        """Close the connection; gently lets what was written out first."""
        transport: Transport = self.transport
        if gently:
            transport.close()
        else:
            transport.abort()


class AnnouncingServer(uvicorn.Server):
    """Prints one line once it can be reached."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            ports = [sock.getsockname()[1] for server in self.servers for sock in server.sockets]
            print(f"sandbox ready on http://{self.config.host}:{ports[0]}", flush=True)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=HangUpProtocol,
        lifespan="on",
        access_log=False,
        log_level="critical",
        backlog=4096,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = AnnouncingServer(config)
    try:
        server.run()
    except SystemExit:
        if not server.started:
            print(f"sandbox: can't listen on {host}:{port}", file=sys.stderr)
        raise
