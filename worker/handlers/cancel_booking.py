"""A person cancels a booking: the message that the booking system would have sent is put into its stream."""

import json

import structlog
from redis import Redis

from shared.clock import Clock
from shared.contracts import BOOKING_FIELD
from shared.domain.booking.record import Booking, HistoryEntry
from shared.domain.messages.message import MessageType
from shared.ledger.bookings import BookingLedger, UnknownBooking

log: structlog.stdlib.BoundLogger = structlog.get_logger()

_SOURCE_END = "\x1f"


class CancelBooking:
    """Publishes the cancellation. The same order twice is one message: its id is made of the order's."""

    def __init__(self, *, redis: Redis, ledger: BookingLedger, stream: str, clock: Clock) -> None:
        self._redis = redis
        self._ledger = ledger
        self._stream = stream
        self._clock = clock

    def __call__(self, order_id: str, booking_id: str, *, by: str, reason: str) -> None:
        """Write down who cancels and why, then publish. Nothing happens where the booking is cancelled or unknown."""
        try:
            booking = self._ledger.get(booking_id)
        except UnknownBooking:
            log.info("booking.unknown", booking_id=booking_id)
            return
        if booking.cancelled:
            log.info("booking.was_cancelled", booking_id=booking_id, by=by)
            return
        text = f"{by} asked to cancel the booking{f': {reason}' if reason else '.'}"
        self._ledger.note(booking_id, HistoryEntry(at=self._clock(), what="booking.cancel_asked", text=text))
        message = {
            "specversion": "1.0",
            "id": f"ops-command/{order_id}",
            "source": _source_of(booking),
            "type": str(MessageType.CANCELLED),
            "data": {"booking_id": booking_id, "revision": booking.revision},
        }
        self._redis.xadd(self._stream, {BOOKING_FIELD: json.dumps(message)})
        log.info("booking.cancel_published", booking_id=booking_id, by=by)


def _source_of(booking: Booking) -> str:
    """Return the source of the booking's latest message: the cancellation is sent in its name."""
    latest = booking.seen_messages[-1] if booking.seen_messages else ""
    return latest.partition(_SOURCE_END)[0] or "/oracode-codes"
