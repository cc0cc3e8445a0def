"""Ends connections on which a request doesn't get whole in time, or too many are sent ahead of their answers.

uvicorn alone would keep the first for ever, and read the second without a bound: it resumes reading after each answer.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_TIMED_OUT: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: 27\r\nconnection: close\r\n\r\n"
    b'{"error":"request_timeout"}'
)
# A proxy sends none ahead, and neither does Seam.
MOST_SENT_AHEAD: Final = 32
# Seconds for the client to take what was written.
_CLOSE_WITHIN: Final = 2.0


class TooManySentAheadError(Exception):
    """A client sent more than `MOST_SENT_AHEAD` requests ahead of their answers."""


class RequestTimeoutProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with `request_timeout` seconds from a request's first byte to its last.

    It also ends a connection that sends nothing, or doesn't take its answer, for so long.
    """

    def __init__(self, *, request_timeout: float, **uvicorns_own: Any) -> None:
        super().__init__(**uvicorns_own)
        self._request_timeout = request_timeout
        self._is_unfinished = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
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
            # Nothing else stops the parser from reading the rest of what came in one piece.
            raise TooManySentAheadError
        self._began_at = self.loop.time()
        self._is_unfinished = True

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        super().on_message_complete()
        self._is_unfinished = False

    def shutdown(self) -> None:
        """Stop, as uvicorn asks; half a request is not waited for."""
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
        """Whether the client would take a 408 for the answer to an earlier request, or has an answer already."""
        newest: RequestResponseCycle | None = self.cycle
        if newest is None or newest.response_complete:
            return newest is not None and newest.more_body
        # Either it is the unfinished one, and nobody waits before it, or it is owed its own answer.
        return not newest.more_body or newest.response_started or bool(self.pipeline)
