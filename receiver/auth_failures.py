"""Limits failed tries (wrong signatures, wrong tokens) of each client. Beyond the limit a failure gets 429, unlogged.

Only failures are counted, and only failures are refused. A client with a valid signature or token is always served,
also after failures from its address. So a stranger can't lock Seam out, not even from behind the same proxy.
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
# With more clients than this in a minute the others share one count, so that memory stays bounded.
_MOST_CLIENTS: Final = 10_000
_OTHERS: Final = "others"
_LONGEST_NAME: Final = 64
# Log lines a minute, for all clients together.
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
        """Allow each client `a_minute` failures a minute. `trusted_proxies` may name the client in X-Forwarded-For.

        Every failure is also counted in `counts` by its reason, also beyond the limit.
        """
        self._most = a_minute
        # The client's address is looked up for failed requests only: a look-up costs more than parsing an event.
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
        """Count one failed try; return how many more the client may have this minute. -1: the first one too many."""
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
    """Do nothing, in place of the application, `receive` and `send` that the middleware needs."""


def client_of(scope: Scope) -> str:
    """Return the name that failures are counted under: the IPv4 address, or the IPv6 network (/64) of one customer."""
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
