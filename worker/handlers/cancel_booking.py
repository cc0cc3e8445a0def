"""A person cancels a booking: the message that the booking system would have sent is put into its stream."""

import json

import structlog
from redis import Redis

from shared.clock import Clock
from shared.contracts import BOOKING_FIELD
from shared.domain.booking.message_order import source_of
from shared.domain.booking.record import HistoryEntry
from shared.domain.messages.message import MessageType
from shared.ledger.bookings import BookingLedger, UnknownBooking

log: structlog.stdlib.BoundLogger = structlog.get_logger()


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
            "source": source_of(booking) or "",
            "type": str(MessageType.CANCELLED),
            # Without a revision: it cancels all that is known.
            "data": {"booking_id": booking_id},
        }
        self._redis.xadd(self._stream, {BOOKING_FIELD: json.dumps(message)})
        log.info("booking.cancel_published", booking_id=booking_id, by=by)
