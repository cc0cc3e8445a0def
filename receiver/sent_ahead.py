"""uvicorn's protocol for clients that send requests before they were answered: each keeps its own answer and its time.

The library serves such requests in their order, but knows only the newest of them: it would write to a client that has
left, answer what it can't parse in the place of an earlier request, and call a connection young with each answer.
"""

from collections import deque
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class SentAheadProtocol(HttpToolsProtocol):
    """One connection with any number of requests under way, one of which is served."""

    def __init__(self, **library: Any) -> None:
        """Take what the library gives each of its protocols, by name."""
        super().__init__(**library)
        # What is being answered, or was last.
        self.serving: RequestResponseCycle | None = None
        # When the connection was made or became idle, or the request that is being served began, in the loop's time.
        self.since = 0.0
        # The same of the requests behind it.
        self._begun: deque[float] = deque()
        # Nothing more is read: the last answer that is due ends the connection.
        self.is_over = False

    @property
    def newest(self) -> RequestResponseCycle | None:
        """The request that came last; None before the first, which the library's annotation leaves out."""
        return self.cycle

    @property
    def sent_ahead(self) -> int:
        """How many requests wait behind the one that is served, the one that is being read included."""
        return len(self._begun)

    @property
    def is_answered(self) -> bool:
        """Whether all that was asked has been answered."""
        cycle = self.newest
        return cycle is None or cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever serves that the client has left; what is behind is not begun."""
        if self.serving is not None:
            self.serving.disconnected = True
            self.serving.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note when the request began; what the library makes for each here is made where it is needed (`begin`).

        Until then nothing has been read out of `headers`.
        """
        self.url = b""
        self.headers = []
        now = self.loop.time()
        cycle = self.newest
        if cycle is None or cycle.response_complete:
            self.since = now
        else:
            self._begun.append(now)

    def begin(self) -> None:
        """Start to serve the request whose headers are here, or queue it."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or note when the connection became idle.

        The library would arm a timer for idle connections here, and cancel it with the next request: whoever bounds
        this connection watches `since` already.
        """
        self.since = self._begun.popleft() if self._begun else self.loop.time()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def ends_with_answers_due(self) -> bool:
        """Give up the newest request; True if others wait for their answers, the last of which ends the connection.

        False: nobody waits, so that an answer now is the newest request's own.
        """
        last = self.newest
        if last is not None and last.more_body and not last.response_complete:
            # It is the one that is given up: its body isn't whole. Else that has not even come to its body.
            if not self.pipeline or self.pipeline[0][0] is not last:
                return False
            self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else self.serving
        if last is None or last.response_complete:
            return False
        self.is_over = True
        last.keep_alive = False
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.serving = cycle
        super()._start_asgi_task(cycle, app)
