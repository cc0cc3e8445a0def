"""What one connection may cost: time, headers, and a place among many. uvicorn's protocol with bounds around it.

uvicorn leaves two things open that a stranger can use. A connection that never finishes its request is never closed,
and headers grow without end. Both are answered here, before any of our code runs. The bounds cost the good path two
readings of the clock a request; what has to be looked at is looked at by one timer a connection.
"""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from receiver.connection_limits import TAKEN_WITHIN, ConnectionLimits
from receiver.crowd import Crowd
from receiver.sent_ahead import SentAheadProtocol

# Svix sends about ten; proxies add as many.
MOST_HEADERS: Final = 100
# So many requests may wait behind the one that is served. Tens of thousands fit into one piece, and everybody else
# would wait until all of them had been read and answered. Seam sends none ahead.
MOST_SENT_AHEAD: Final = 10


def _announces_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )


class _Refused(Exception):
    """The request is over a bound; raised inside the parser, which ends it."""


class BoundedProtocol(SentAheadProtocol):
    """One connection within `ConnectionLimits`. Past a bound it is answered (408, 431, 503) and closed."""

    def __init__(self, *, limits: ConnectionLimits, crowd: "Crowd[BoundedProtocol]", **library: Any) -> None:
        """`crowd` is that of all connections of this process."""
        super().__init__(**library)
        self._limits = limits
        self._crowd = crowd
        self._refusal = HTTPStatus.BAD_REQUEST
        self._watch: asyncio.TimerHandle | None = None
        self._in_headers = False
        # Between the head of a chunk and its bytes; behind the last one are trailers, which are as endless as headers.
        self._in_trailers = False
        # Bytes of unfinished headers or trailers that were fed, and those of the piece that is being fed.
        self._fed = 0
        self._feeding = 0
        self._trailers = 0
        self._has_chunk_header = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to watch; where there are too many connections, the one that keeps us waiting longest goes."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._watch = self.loop.call_later(self._limits.request_within, self._look)
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to watch."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece; headers, and trailers, that are still not whole must end within their bound."""
        if self.is_over or self.transport.is_closing():
            return
        self._feeding = len(data)
        self._has_chunk_header = False
        super().data_received(data)
        # Of the piece in which a chunk began nobody knows what came before it.
        if self._in_headers or (self._in_trailers and not self._has_chunk_header):
            self._fed += len(data)
            if self._fed > self._limits.header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Count from here."""
        super().on_message_begin()
        self._in_headers = True
        self._in_trailers = False
        self._fed = self._trailers = 0
        if self.sent_ahead > MOST_SENT_AHEAD:
            # Those before it are answered and the connection ends: the rest is to be sent anew (RFC 9112, 9.3.2).
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is let go: nobody asks for one, and it must not pass for a header."""
        if self._in_headers:
            self.headers.append((name.lower(), value))
            return
        self._trailers += 1
        if self._trailers > MOST_HEADERS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _Refused

    def on_headers_complete(self) -> None:
        """Refuse too many headers, or too large ones that came in one piece."""
        self._in_headers = False
        headers = self.headers
        if len(headers) > MOST_HEADERS or (
            self._fed + self._feeding > self._limits.header_bytes
            and sum(len(name) + len(value) for name, value in headers) + len(self.url) > self._limits.header_bytes
        ):
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _Refused
        is_upgrade = self.parser.should_upgrade()
        if is_upgrade and _announces_body(headers):
            # The library's parser would take the body for the next request.
            raise _Refused
        self.begin()
        if is_upgrade and self.newest is not None:
            # Nor does it read what else came with it: where the next request begins nobody could say.
            self.is_over = True
            self.newest.keep_alive = False

    def on_chunk_header(self) -> None:
        """Note that either a chunk's bytes follow, or trailers."""
        self._in_trailers = self._has_chunk_header = True
        self._fed = 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._in_trailers = False
        self.go_on(body)

    def on_message_complete(self) -> None:
        """Take note that the request is whole."""
        self._in_trailers = False
        self.complete()

    def go_on(self, body: bytes) -> None:
        """Serve a piece of the body."""
        super().on_body(body)

    def complete(self) -> None:
        """Serve the end of the request."""
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refused, and close."""
        del msg
        self._refuse(self._refusal)

    def shutdown(self) -> None:
        """Begin to end, as the library asks when the process stops: who has sent half a request isn't waited for."""
        if not self.is_waiting:
            super().shutdown()
        elif self._is_idle:
            self._close()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    @property
    def is_waiting(self) -> bool:
        """Whether it is the client's turn: nothing was asked, or not wholly."""
        cycle = self.newest
        return cycle is None or cycle.response_complete or cycle.more_body

    @property
    def may_go(self) -> bool:
        """Whether nobody waits for us here, as far as has been read, and the connection is open."""
        return self.is_waiting and not self._is_fresh and not self.transport.is_closing()

    @property
    def _is_fresh(self) -> bool:
        """Whether it may be about to send its first request: until that, `since` is when it was made."""
        is_silent = self.newest is None and not self._in_headers
        return is_silent and self.loop.time() < self.since + self._limits.fresh_for

    @property
    def _is_idle(self) -> bool:
        return not self._in_headers and self.is_answered

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer a request that can't be served, and close; behind others that wait, only close when they are answered.

        An answer now would pass for theirs.
        """
        if not self.ends_with_answers_due():
            self._end(status)

    def _look(self) -> None:
        """Close the connection if it has taken too long; else look again when it could have."""
        left = self.since + self._limits.request_within - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        elif self._is_idle:
            self._close()
        else:
            self._end(HTTPStatus.REQUEST_TIMEOUT if self.is_waiting else HTTPStatus.SERVICE_UNAVAILABLE)

    def _make_room(self) -> None:
        everybody = cast("set[BoundedProtocol]", self.connections)
        longest = self._crowd.longest_waiting(everybody, self.since) or self
        if longest._is_idle and longest is not self:  # noqa: SLF001 - of this class
            longest._close()  # noqa: SLF001
        else:
            longest._end(HTTPStatus.SERVICE_UNAVAILABLE)  # noqa: SLF001

    def _end(self, status: HTTPStatus) -> None:
        """Answer in our own words, unless an answer is under way or the last one was given, and close."""
        cycle = self.newest
        is_open = not self.transport.is_closing()
        if is_open and (cycle is None or not cycle.response_started or cycle.response_complete):
            body = json.dumps({"error": status.phrase.lower().replace(" ", "_")}).encode()
            lines = [b"content-type: application/json", b"content-length: %d" % len(body), b"connection: close"]
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                lines.append(b"retry-after: 5")
            self.transport.write(STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self._close()

    def _close(self) -> None:
        """Close once all that was answered is taken, or soon; one that is closing already gets the same time."""
        if self._watch is not None:
            self._watch.cancel()
        self.transport.close()
        self._watch = self.loop.call_later(TAKEN_WITHIN, self.transport.abort)
