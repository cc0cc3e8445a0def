"""How many failed tries a client gets answered one by one: wrong signatures, wrong tokens.

Only failures are counted, and only failures are refused: who proves to be Seam, or shows a good token, is served
whatever came from the same address before. So nobody can lock Seam out, not even from behind the same proxy; what a
flood of forgeries loses is our patience (429) and its place in the log.
"""

import time
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog
from starlette.types import Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from receiver.http import answer

_WINDOW: Final = 60.0
# Past these the rest shares one count, until the minute is over: memory stays bounded whoever comes.
_MOST_CLIENTS: Final = 10_000
_EVERYBODY_ELSE: Final = "others"
_LONGEST_NAME: Final = 64
# Of all clients in one minute: many forgers are no more worth reading about than one.
_MOST_LINES: Final = 600

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Rejections:
    """Failed tries of this process by client, in fixed minutes."""

    def __init__(
        self, *, a_minute: int, trusted_proxies: str = "127.0.0.1", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count `a_minute` for each client; what `trusted_proxies` say of where a request came from is believed."""
        self._most = a_minute
        # Who it was is asked of those alone who fail: asked of all, it cost more than parsing the event.
        self._see_through_proxies = ProxyHeadersMiddleware(_nothing, trusted_proxies)
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._total = 0
        self._ends_at = clock() + _WINDOW

    def count(self, client: str) -> int:
        """Count one failed try; return how many the client has left this minute: -1 is the first that is too many."""
        if self._clock() >= self._ends_at:
            self._counts.clear()
            self._total = 0
            self._ends_at = self._clock() + _WINDOW
        if client not in self._counts and len(self._counts) >= _MOST_CLIENTS:
            client = _EVERYBODY_ELSE
        self._total += 1
        self._counts[client] = self._counts.get(client, 0) + 1
        return self._most - self._counts[client]

    async def answer(self, scope: Scope, send: Send, error: str, headers: Mapping[str, str] | None = None) -> None:
        """Count and answer a failed try: 401 with `error`, or 429 where its client had too many."""
        # It changes the scope, and calls what it leads to.
        await self._see_through_proxies(scope, _nothing, _nothing)  # type: ignore[arg-type]
        client = client_of(scope)
        left = self.count(client)
        if left >= 0:
            if self._total <= _MOST_LINES:
                log.info("request.rejected", client=client, path=scope["path"], why=error)
            await answer(send, 401, {"error": error}, headers)
            return
        if left == -1 and self._total <= _MOST_LINES:
            log.warning("rejections.limited", client=client, a_minute=self._most)
        retry_after = max(1, int(self._ends_at - self._clock()) + 1)
        await answer(send, 429, {"error": "too_many_rejections"}, {"retry-after": str(retry_after)})

    @property
    def size(self) -> int:
        """How many clients are counted."""
        return len(self._counts)


async def _nothing(*_: object) -> None:
    """Stand for an application that a middleware leads to."""


def client_of(scope: Scope) -> str:
    """Return who is counted: the address, or of IPv6 the network (/64) that one customer has."""
    host = scope["client"][0] if scope.get("client") else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)[:_LONGEST_NAME]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
