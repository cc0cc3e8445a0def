"""The routes for booking systems: send a booking message, read a booking's status, read its PINs.

Calls to the ledger and to Seam run in threads (`receiver.blocking_calls`), with one pool for each. So a booking's
status is answered while Seam hangs, and neither delays webhooks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.auth_failures import AuthFailureLimiter
from receiver.blocking_calls import BlockingCalls
from receiver.bodies import BodyReader
from receiver.booking_status import BookingStatus
from receiver.bookings import Bookings
from receiver.endpoint import BookingEndpoint, PostEndpoint
from receiver.inbox import Inbox
from receiver.refused_bookings import RefusedBookings
from receiver.reveal import Reveal
from receiver.tokens import BearerTokens
from receiver.units import KnownUnits
from shared.clock import Clock
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet
from shared.parked import ParkedList
from shared.redis_client import connect
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam_calls import observe_seam_call
from shared.settings import Settings

_THREADS: Final = 4
_LEDGER_WITHIN: Final = timedelta(seconds=10)
# A booking system waits for the answer: at most this long for each answer of Seam, and for all of them together.
_SEAM_WITHIN: Final = timedelta(seconds=5)
_REVEAL_WITHIN: Final = timedelta(seconds=15)
_PATH: Final = "/bookings/{booking_id:path}"


@dataclass(frozen=True, slots=True)
class BookingRoutes:
    """The routes that the settings turn on, and what has to be closed with the app."""

    routes: tuple[BaseRoute, ...]
    pools: tuple[BlockingCalls, ...]
    disconnect: Callable[[], None]

    def close(self) -> None:
        """Take no more calls. Connections that a call still uses stay open until the process ends."""
        if all(pool.is_idle for pool in self.pools):
            # Before the threads end, because the connections belong to them.
            self.disconnect()
        for pool in self.pools:
            pool.close()


def required_settings(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the settings that `web` needs for the routes that are turned on."""
    return ("SEAM_API_KEY",) if environment.get("REVEAL_TOKENS", "").strip(" ,\t\n") else ()


def booking_routes(
    settings: Settings,
    *,
    inbox: Inbox,
    bodies: BodyReader,
    auth_failures: AuthFailureLimiter,
    refused: RefusedBookings,
    clock: Clock,
) -> BookingRoutes:
    """Assemble the routes. Raises ValueError if REVEAL_TOKENS is set and SEAM_API_KEY isn't."""
    redis = connect(settings.redis_address, sync_replicas=settings.sync_replicas)
    ledger = BookingLedger(
        redis,
        due=DueSet(redis, lease=settings.reclaim_after),
        clock=clock,
        retention=settings.retention,
    )
    seam = _seam_client(settings) if settings.reveal_tokens else None
    pools: list[BlockingCalls] = []
    # While REVEAL_TOKENS is empty the route answers 404. Without it the path of a booking would answer 405.
    reveal: ASGIApp = _Off()
    if seam is not None:
        calls = BlockingCalls("reveal", threads=_THREADS, within=_REVEAL_WITHIN)
        tokens = _tokens(settings.reveal_tokens)
        codes = AccessCodes(seam)
        pins = Reveal(tokens=tokens, bodies=bodies, ledger=ledger, codes=codes, calls=calls, clock=clock)
        pools.append(calls)
        reveal = BookingEndpoint(pins.handle, auth_failures)
    routes: list[BaseRoute] = [Route(f"{_PATH}/reveal", reveal, methods=["POST"])]
    if settings.booking_tokens:
        calls = BlockingCalls("booking-status", threads=_THREADS, within=_LEDGER_WITHIN)
        tokens = _tokens(settings.booking_tokens)
        units = KnownUnits(settings.doors_file) if settings.doors_file else None
        bookings = Bookings(
            tokens=tokens,
            inbox=inbox,
            bodies=bodies,
            units=units,
            refused=refused,
            status_words=settings.status_words,
            clock=clock,
        )
        status = BookingStatus(tokens=tokens, ledger=ledger, parked=ParkedList(redis), calls=calls, clock=clock)
        pools.append(calls)
        routes.append(Route("/bookings", PostEndpoint(bookings.handle, auth_failures), methods=["POST"]))
        routes.append(Route(_PATH, BookingEndpoint(status.handle, auth_failures), methods=["GET"]))

    def disconnect() -> None:
        redis.connection_pool.disconnect()
        if seam is not None:
            seam.close()

    return BookingRoutes(tuple(routes), tuple(pools), disconnect)


def _seam_client(settings: Settings) -> SeamClient:
    if settings.seam_api_key is None:
        raise ValueError("SEAM_API_KEY is not set")
    return SeamClient(
        endpoint=settings.seam_endpoint,
        api_key=settings.seam_api_key.get_secret_value(),
        answer_within=min(settings.seam_timeout, _SEAM_WITHIN),
        observe=observe_seam_call,
    )


def _tokens(secrets: tuple[SecretStr, ...]) -> BearerTokens:
    return BearerTokens(tuple(secret.get_secret_value() for secret in secrets))


class _Off:
    """The endpoint of a route that is turned off: it answers 404."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise HTTPException(404)
