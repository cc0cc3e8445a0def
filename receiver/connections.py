"""What one connection may cost: time, headers, and a place among many. uvicorn's protocol with bounds around it.

uvicorn leaves two things open that a stranger can use. A connection that never finishes its request is never closed,
and headers grow without end. Both are answered here, before any of our code runs. The bounds cost the good path two
readings of the clock a request; what has to be looked at is looked at by one timer a connection.
"""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

# Svix sends about ten; proxies add as many.
MOST_HEADERS: Final = 100
# A client that doesn't even take its refusal is cut off.
_TAKEN_WITHIN: Final = 2.0
# Logs, the data server, libraries, and those that are being accepted.
_OTHER_FILES: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of one process: seconds from first byte to answer, open connections, bytes of one request's headers."""

    request_within: float
    connections: int
    header_bytes: int


def most_connections(wanted: int) -> int:
    """Let this process open files enough for `wanted` connections; return for how many there is room.

    Where files run out, accepting fails, for Seam as for everybody: closing the slowest needs one that is open.
    """
    soft, hard = getrlimit(RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != RLIM_INFINITY and soft < needed:
        soft = needed if hard == RLIM_INFINITY else min(needed, hard)
        setrlimit(RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == RLIM_INFINITY else max(1, min(wanted, soft - _OTHER_FILES))


def _announces_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )


class _Refused(Exception):
    """The request is over a bound; raised inside the parser, which ends it."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection within `ConnectionLimits`. Past a bound it is answered (408, 431, 503) and closed."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._refusal = HTTPStatus.BAD_REQUEST
        self._since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._in_headers = False
        # Between the head of a chunk and its bytes; behind the last one are trailers, which are as endless as headers.
        self._in_trailers = False
        # Bytes of unfinished headers or trailers that were fed, and those of the piece that is being fed.
        self._fed = 0
        self._feeding = 0
        self._trailers = 0
        # When the requests began that came before an earlier one was answered.
        self._begun: deque[float] = deque()
        # What is being answered; the library knows the newest request alone, and those that nobody works on yet.
        self._serving: RequestResponseCycle | None = None
        # Nothing more is read: the last answer that is due ends the connection.
        self._is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to watch; where there are too many connections, the one that keeps us waiting longest goes."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._watch = self.loop.call_later(self._limits.request_within, self._look)
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to watch; whoever is being served has left."""
        if self._watch is not None:
            self._watch.cancel()
        if self._serving is not None:
            self._serving.disconnected = True
            self._serving.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece; headers that are still not whole must end within their bound."""
        if self._is_over or self.transport.is_closing():
            return
        self._feeding = len(data)
        were_trailers = self._in_trailers
        super().data_received(data)
        if self._in_headers or (self._in_trailers and were_trailers):
            self._fed += len(data)
            if self._fed > self._limits.header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Note when the request began; what the library makes for each here is made where it is needed (`begin`)."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        now = self.loop.time()
        if self._is_answered:
            self._since = now
        else:
            self._begun.append(now)
        self._in_headers = True
        self._in_trailers = False
        self._fed = self._trailers = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is let go: nobody asks for one, and it must not pass for a header."""
        if self._in_headers:
            super().on_header(name, value)
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
        if self.parser.should_upgrade() and _announces_body(headers):
            # The library's parser would take the body for the next request.
            raise _Refused
        self.begin()

    def on_chunk_header(self) -> None:
        """Note that either a chunk's bytes follow, or trailers."""
        self._in_trailers = True
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

    def begin(self) -> None:
        """Start to serve the request whose headers are here and within their bounds."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Note when the connection became idle.

        The library would arm a timer for idle connections here, and cancel it with the next request: ours watches them
        already, and is armed once.
        """
        self._since = self._begun.popleft() if self._begun else self.loop.time()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refused, and close."""
        del msg
        self._refuse(self._refusal)

    @property
    def is_waiting(self) -> bool:
        """Whether it is the client's turn: nothing was asked, or not wholly."""
        cycle = self._current
        return cycle is None or cycle.response_complete or cycle.more_body

    @property
    def _is_idle(self) -> bool:
        return not self._in_headers and self._is_answered

    @property
    def _current(self) -> RequestResponseCycle | None:
        # uvicorn's annotation leaves out that there is none before the first request.
        return self.cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._serving = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_answered(self) -> bool:
        cycle = self._current
        return cycle is None or cycle.response_complete

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer a request that can't be served, and close; behind earlier ones that still wait, only close.

        An answer now would pass for theirs.
        """
        last = self._current
        if last is not None and last.more_body and self.pipeline and self.pipeline[0][0] is last:
            # It is the refused one itself, of whose body something was wrong.
            self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else self._serving
        elif last is self._serving and last is not None and last.more_body:
            last = None
        if last is None or last.response_complete:
            self._end(status)
            return
        self._is_over = True
        last.keep_alive = False

    def _look(self) -> None:
        """Close the connection if it has taken too long; else look again when it could have."""
        left = self._since + self._limits.request_within - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        elif self._is_idle:
            self._close()
        else:
            self._end(HTTPStatus.REQUEST_TIMEOUT if self.is_waiting else HTTPStatus.SERVICE_UNAVAILABLE)

    def _make_room(self) -> None:
        waiting = [
            each
            for each in cast(set[Any], self.connections)
            if isinstance(each, BoundedProtocol) and each.is_waiting and not each.transport.is_closing()
        ]
        longest = min(waiting, key=lambda each: each._since)  # noqa: SLF001 - of this class; we are among them
        if longest._is_idle and longest is not self:  # noqa: SLF001
            longest._close()  # noqa: SLF001
        else:
            longest._end(HTTPStatus.SERVICE_UNAVAILABLE)  # noqa: SLF001

    def _end(self, status: HTTPStatus) -> None:
        """Answer in our own words, unless an answer is under way, and close."""
        if self.transport.is_closing():
            return
        cycle = self._current
        if cycle is None or not cycle.response_started or cycle.response_complete:
            body = json.dumps({"error": status.phrase.lower().replace(" ", "_")}).encode()
            lines = [b"content-type: application/json", b"content-length: %d" % len(body), b"connection: close"]
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                lines.append(b"retry-after: 5")
            self.transport.write(STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self._close()

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self.transport.close()
        self._watch = self.loop.call_later(_TAKEN_WITHIN, self.transport.abort)
