"""The short way of a request that arrives whole: from the parser to its handler and back, without a task.

What ASGI needs to serve a request (a scope, a task, a future, messages both ways) costs more than parsing an event and
taking its PINs out. A handler that is done with a call and a callback needs none of it. Whatever isn't plain goes the
usual way, through the application: a body in pieces, requests sent ahead, a client that waits to be told to send, an
old one; and so does what the handler declines.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from receiver.connections import BoundedProtocol
from receiver.http import Headers, Prepared

Answer = Callable[[Prepared], None]
"""Sends the whole answer; to be called once for each request that was taken, at once or later."""
Express = Callable[[Headers, bytes, Answer], bool]
"""Takes a whole POST; False: it did nothing, the request goes the usual way."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ExpressProtocol(BoundedProtocol):
    """One connection, from which POSTs to certain paths go straight to their handlers."""

    def __init__(self, *, express: Mapping[bytes, Express], **bounds_and_library: Any) -> None:
        super().__init__(**bounds_and_library)
        self._express = express
        # Of the request whose headers are here and whose body isn't yet.
        self._handler: Express | None = None
        self._named: Headers = {}
        self._body = b""
        # Stands for the request that is being handled: to the library it looks like any other. One for all, because
        # the next is taken when this one is answered.
        self._turn: RequestResponseCycle | None = None

    def data_received(self, data: bytes) -> None:
        """Take a piece; a request that isn't whole with it goes the usual way."""
        super().data_received(data)
        if self._handler is not None and not self.transport.is_closing():
            self._go_the_usual_way(is_whole=False)

    def begin(self) -> None:
        """Wait for the body if there may be a handler for it."""
        handler = self._express.get(self.url)
        if handler is not None and self.is_answered:
            headers = dict(self.headers)
            if self._is_plain(headers):
                self._handler, self._named, self._body = handler, headers, b""
                return
        super().begin()

    def go_on(self, body: bytes) -> None:
        """Keep what belongs to a request that may be handled here."""
        if self._handler is None:
            super().go_on(body)
        else:
            self._body = self._body + body if self._body else body

    def complete(self) -> None:
        """Hand the request over."""
        if self._handler is None:
            super().complete()
        elif not self._is_taken(self._handler):
            self._go_the_usual_way(is_whole=True)
        self._handler = None

    def _is_plain(self, headers: Headers) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.should_keep_alive()
            # An old client that says nothing of it doesn't keep the connection: asking for the version costs more.
            and (b"connection" not in headers or parser.get_http_version() == "1.1")
            and b"expect" not in headers
            and not parser.should_upgrade()
            and not self.flow.write_paused
        )

    def _is_taken(self, handler: Express) -> bool:
        turn = self._turn
        if turn is None:
            turn = self._turn = self._new_turn()
        before, self.cycle = self.cycle, turn
        self.serving = turn
        turn.response_started = turn.response_complete = False
        turn.keep_alive = True
        try:
            if handler(self._named, self._body, self._answer):
                return True
        except Exception:
            # The usual way has an answer for it, and for what it stumbles on as well.
            log.exception("express.crashed")
        turn.response_started = turn.response_complete = True
        self.cycle = before
        return False

    def _new_turn(self) -> RequestResponseCycle:
        turn = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        turn.more_body = False
        return turn

    def _answer(self, prepared: Prepared) -> None:
        turn = self._turn
        if turn is None or turn.response_complete or self.transport.is_closing():
            return
        turn.response_started = turn.response_complete = True
        if turn.keep_alive and not self.server_state.default_headers:
            self.transport.write(prepared.wire)
        else:
            self.transport.write(prepared.last_wire)
            self.transport.close()
        self.on_response_complete()

    def _go_the_usual_way(self, *, is_whole: bool) -> None:
        self._handler = None
        super().begin()
        if self._body:
            super().go_on(self._body)
        if is_whole:
            super().complete()
        self._body = b""
