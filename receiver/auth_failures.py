"""Limits how many failed tries (wrong signatures, wrong tokens) of a client are answered one by one.

Only failures are counted, and only failures are refused: a client with a valid signature or token is always served,
also after failures from its address. So a stranger can't lock Seam out, not even from behind the same proxy. Past the
limit a client gets 429, and its failures aren't logged any more.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from receiver.auth_failure_counts import AuthFailureCounts
from receiver.refusals import AuthFailure, InvalidSignature, TooManyAuthFailures
from shared import metrics

_WINDOW: Final = 60.0
# Past so many clients a minute the rest shares one count: memory stays bounded.
_MOST_CLIENTS: Final = 10_000
_OTHERS: Final = "others"
_LONGEST_NAME: Final = 64
# Lines a minute, of all clients together.
_MOST_LINES: Final = 600

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AuthFailureLimiter:
    """Counts failed tries of this process by client, in fixed minutes."""

    def __init__(
        self,
        *,
        a_minute: int,
        trusted_proxies: str = "127.0.0.1",
        clock: Callable[[], float] = time.monotonic,
        counts: AuthFailureCounts | None = None,
    ) -> None:
        """Allow `a_minute` failures a client; `trusted_proxies` may name the client in X-Forwarded-For.

        Every failure is also counted in `counts`, by reason, past the limit too.
        """
        self._most = a_minute
        # Only failed requests ask for the client's address: asking for each cost more than parsing its event.
        self._trust_proxies = ProxyHeadersMiddleware(_do_nothing, trusted_proxies)
        self._clock = clock
        self._by_reason = counts
        self._counts: dict[str, int] = {}
        self._total = 0
        self._ends_at = clock() + _WINDOW

    async def count(self, scope: Scope, failure: AuthFailure) -> AuthFailure | TooManyAuthFailures:
        """Count and log one failed try; return the answer to it."""
        # The middleware writes the client's address into the scope.
        await self._trust_proxies(scope, _do_nothing, _do_nothing)  # type: ignore[arg-type]
        client = client_of(scope)
        if self._by_reason is not None:
            self._by_reason.add(failure)
            metrics.AUTH_FAILURES.add(failure.reason)
        left = self.count_for(client)
        if left >= 0:
            if self._total <= _MOST_LINES:
                names = {"client": client, "path": scope["path"], "reason": failure.reason}
                if isinstance(failure, InvalidSignature):
                    log.info("webhook.rejected", **names)
                else:
                    log.info("auth.failed", **names)
            return failure
        if left == -1 and self._total <= _MOST_LINES:
            log.warning("auth_failures.limited", client=client, a_minute=self._most)
        return TooManyAuthFailures(max(1, int(self._ends_at - self._clock()) + 1))

    def count_for(self, client: str) -> int:
        """Count one failed try; return how many the client has left this minute: -1 is the first that is too many."""
        if self._clock() >= self._ends_at:
            self._counts.clear()
            self._total = 0
            self._ends_at = self._clock() + _WINDOW
        if client not in self._counts and len(self._counts) >= _MOST_CLIENTS:
            client = _OTHERS
        self._total += 1
        self._counts[client] = self._counts.get(client, 0) + 1
        return self._most - self._counts[client]

    @property
    def size(self) -> int:
        """How many clients are counted."""
        return len(self._counts)


async def _do_nothing(*_: object) -> None:
    """Stand in for the application, `receive` and `send` that a middleware wants."""


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
