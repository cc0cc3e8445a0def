"""Ends a connection if a request isn't complete in time, or if too many requests are sent ahead of their answers.

uvicorn alone would keep the first connection for ever, and read the second without a limit: it resumes reading after
each answer.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from receiver.joined_writes import JoinedWrites

_TIMED_OUT: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: 27\r\nconnection: close\r\n\r\n"
    b'{"error":"request_timeout"}'
)
# Neither proxies nor Seam send requests ahead of their answers.
MOST_SENT_AHEAD: Final = 32
# Seconds in which the client may still read what was written.
_CLOSE_WITHIN: Final = 2.0


class TooManySentAheadError(Exception):
    """A client sent more than `MOST_SENT_AHEAD` requests ahead of their answers."""


class RequestTimeoutProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with `request_timeout` seconds from a request's first byte to its last.

    A connection that sends nothing, or doesn't read its answer, for that long is ended too.
    """

    def __init__(self, *, request_timeout: float, **uvicorns_own: Any) -> None:
        super().__init__(**uvicorns_own)
        self._request_timeout = request_timeout
        self._is_unfinished = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(JoinedWrites(transport, self.loop))
        self._began_at = self.loop.time()
        self._timer = self.loop.call_later(self._request_timeout, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._timer.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the clock anew: this is the first byte of a request."""
        super().on_message_begin()
        if len(self.pipeline) >= MOST_SENT_AHEAD:
            self.transport.abort()
            # Only an error stops the parser from reading the other requests that came in the same piece.
            raise TooManySentAheadError
        self._began_at = self.loop.time()
        self._is_unfinished = True

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        super().on_message_complete()
        self._is_unfinished = False

    def shutdown(self) -> None:
        """Stop, when uvicorn asks for it. An unfinished request isn't waited for."""
        if self._is_unfinished:
            self._end()
        else:
            super().shutdown()

    def _check(self) -> None:
        left = self._began_at + self._request_timeout - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._check)
        else:
            self._end()

    def _end(self) -> None:
        if self._is_unfinished and not self._owes_answer():
            self.transport.write(_TIMED_OUT)
        self.transport.close()
        self._timer.cancel()
        self._timer = self.loop.call_later(_CLOSE_WITHIN, self.transport.abort)

    def _owes_answer(self) -> bool:
        """Whether a 408 is wrong here: an earlier request still has no answer, or this one already has its answer."""
        newest: RequestResponseCycle | None = self.cycle
        if newest is None or newest.response_complete:
            return newest is not None and newest.more_body
        # Either `newest` is the unfinished request and none waits before it, or `newest` still needs its own answer.
        return not newest.more_body or newest.response_started or bool(self.pipeline)
