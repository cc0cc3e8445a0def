"""`GET /bookings/{id}`: a booking's status, and its messages that could not be used."""

from dataclasses import asdict
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive

from receiver.blocking_calls import BlockingCalls
from receiver.bodies import Headers
from receiver.refusals import json_response
from receiver.tokens import BearerTokens
from shared.clock import Clock
from shared.domain.booking.record import Booking
from shared.domain.booking.status import status_of
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.parked import ParkedList
from shared.parked_of_bookings import told_of

_MOST_TOLD: Final = 10
# A proxy must not cache states and PINs.
NOT_STORED: Final = {"cache-control": "no-store"}


class BookingStatus:
    """Answers with a booking's status from the ledger."""

    def __init__(
        self, *, tokens: BearerTokens, ledger: BookingLedger, parked: ParkedList, calls: BlockingCalls, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._ledger = ledger
        self._parked = parked
        self._calls = calls
        self._clock = clock

    async def handle(self, booking_id: str, headers: Headers, receive: Receive) -> Response:
        """Answer 200, or 404 for an unknown booking. Raises InvalidToken and Unavailable."""
        del receive
        self._tokens.check(headers)
        return await self._calls.run(lambda: self._answer(booking_id))

    def _answer(self, booking_id: str) -> Response:
        try:
            booking = self._ledger.get(booking_id)
        except UnknownBooking:
            parked = self._parked_of(booking_id, None)
            return json_response(404, {"error": "unknown_booking", "parked": parked}, NOT_STORED)
        body = {**status_of(booking, self._clock()), "parked": self._parked_of(booking_id, booking)}
        return json_response(200, body, NOT_STORED)

    def _parked_of(self, booking_id: str, booking: Booking | None) -> list[dict[str, Any]]:
        """Return the parked messages that name the booking, newest first."""
        entries = self._parked.of_booking(booking_id, most=_MOST_TOLD)
        return [asdict(told_of(entry, booking)) for entry in entries]
