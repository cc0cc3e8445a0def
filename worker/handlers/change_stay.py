"""A person changes a booking's stay: the message that the booking system would have sent is put into its stream."""

from collections.abc import Mapping

import structlog

from shared.booking_stream import BookingStream
from shared.clock import Clock
from shared.domain.booking.ended_on_purpose import CHANGE_ASKED, ends_by_message
from shared.domain.booking.message_order import has_seen
from shared.domain.booking.own_message import (
    changed_data,
    changes_nothing,
    check_change,
    is_over,
    message_of,
)
from shared.domain.booking.record import Booking, HistoryEntry
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType
from shared.domain.stay.stay import UnitRules, time_text
from shared.ledger.bookings import BookingLedger
from shared.ops_commands import ORDER_FACT

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NotChanged(Exception):
    """The stay can't be changed; the text says why. Nothing was published."""


class ChangeStay:
    """Publishes the change. The same order twice is one message: its id is made of the order's."""

    def __init__(
        self, *, ledger: BookingLedger, stream: BookingStream, units: Mapping[str, UnitRules], clock: Clock
    ) -> None:
        self._ledger = ledger
        self._stream = stream
        self._units = units
        self._clock = clock

    def __call__(
        self,
        order_id: str,
        booking_id: str,
        *,
        check_in: str,
        check_out: str,
        revision: int,
        knows_it_ends: bool = False,
        by: str,
        reason: str,
    ) -> None:
        """Write down who changes what and why, then publish. A time that is empty stays as it is.

        `revision` is the booking's that the person was shown: a change is of that one. `knows_it_ends` says that the
        person knows that the booking ends by it. Raises NotChanged, UnknownBooking, NotOnReplicas.
        """
        booking = self._ledger.get(booking_id)
        message_id = _message_id(order_id)
        if has_seen(booking, message_id):
            # The order came again after its message was applied.
            return
        if why := is_over(booking):
            raise NotChanged(f"the booking {why}")
        text, message = _message(booking, message_id, check_in, check_out)
        self._check(booking, message, revision)
        text_of_order = f"{by or 'A person'} asked to change the stay to {_asked(message, check_in, check_out)}"
        self._note(booking, order_id, f"{text_of_order}{f': {reason}' if reason else '.'}", knows_it_ends=knows_it_ends)
        self._stream.append(text, message)
        log.info("booking.change_published", booking_id=booking.booking_id, by=by)

    def _check(self, booking: Booking, message: BookingMessage, revision: int) -> None:
        """Raise NotChanged where nothing is to be changed, or the message would be parked."""
        if booking.revision != revision:
            raise NotChanged(f"the booking was changed meanwhile: revision {revision} was meant, {booking.revision} is")
        try:
            check_change(booking, message, self._units, now=self._clock())
        except InvalidMessage as invalid:
            raise NotChanged(str(invalid)) from invalid
        if changes_nothing(booking, message):
            raise NotChanged("it is booked so already")

    def _note(self, booking: Booking, order_id: str, text: str, *, knows_it_ends: bool) -> None:
        """Write the order into the story, once."""
        story = self._ledger.history(booking.booking_id)
        if any(entry.what == CHANGE_ASKED and entry.facts.get(ORDER_FACT) == order_id for entry in story):
            return
        ends = ends_by_message(_message_id(order_id)) if knows_it_ends else {}
        facts = {ORDER_FACT: order_id, **ends}
        self._ledger.note(booking.booking_id, HistoryEntry(at=self._clock(), what=CHANGE_ASKED, text=text, facts=facts))


def _message_id(order_id: str) -> str:
    return f"ops-command/{order_id}"


def _message(booking: Booking, message_id: str, check_in: str, check_out: str) -> tuple[str, BookingMessage]:
    changes = {"check_in": check_in or None, "check_out": check_out or None}
    try:
        data = changed_data(booking, changes)
        return message_of(booking, MessageType.UPDATED, data, message_id=message_id)
    except InvalidMessage as invalid:
        raise NotChanged(str(invalid)) from invalid


def _asked(message: BookingMessage, check_in: str, check_out: str) -> str:
    told = (("check-in", check_in, message.check_in), ("check-out", check_out, message.check_out))
    return " and ".join(f"{name} {time_text(time)}" for name, given, time in told if given and time is not None)
