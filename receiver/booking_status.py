"""`GET /bookings/{id}`: what became of a booking, and of its messages that could not be used."""

import json
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive

from receiver.blocking_calls import BlockingCalls
from receiver.bodies import Headers
from receiver.refusals import json_response
from receiver.tokens import BearerTokens
from shared.clock import Clock
from shared.domain.booking.status import status_of
from shared.domain.messages.hints import hints_of
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.parked import ParkedList

# How many of the newest parked messages are searched; a flood of others may hide older ones.
_MOST_SEARCHED: Final = 2_000
_MOST_TOLD: Final = 10
# State and PIN are nothing for a proxy to keep.
NOT_STORED: Final = {"cache-control": "no-store"}


class BookingStatus:
    """Answers with a booking as the ledger has it."""

    def __init__(
        self, *, tokens: BearerTokens, ledger: BookingLedger, parked: ParkedList, calls: BlockingCalls, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._ledger = ledger
        self._parked = parked
        self._calls = calls
        self._clock = clock

    async def handle(self, booking_id: str, headers: Headers, receive: Receive) -> Response:
        """Answer 200, or 404 for a booking that nobody knows. Raises InvalidToken, and Unavailable."""
        del receive
        self._tokens.check(headers)
        return await self._calls.run(lambda: self._answer(booking_id))

    def _answer(self, booking_id: str) -> Response:
        parked = self._parked_of(booking_id)
        try:
            booking = self._ledger.get(booking_id)
        except UnknownBooking:
            return json_response(404, {"error": "unknown_booking", "parked": parked}, NOT_STORED)
        return json_response(200, {**status_of(booking, self._clock()), "parked": parked}, NOT_STORED)

    def _parked_of(self, booking_id: str) -> list[dict[str, Any]]:
        """Return the parked messages that name the booking, newest first."""
        # To read them all would take long: only those are read in which the id occurs, in either spelling of JSON.
        spellings = {json.dumps(booking_id, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
        found = (
            {"parked_id": entry.parked_id, "parked_at": entry.parked.parked_at, "problems": list(entry.parked.problems)}
            for entry in self._parked.newest(_MOST_SEARCHED)
            if any(spelling in entry.parked.message for spelling in spellings)
            and hints_of(entry.parked.message).booking_id == booking_id
        )
        return [told for _, told in zip(range(_MOST_TOLD), found, strict=False)]
