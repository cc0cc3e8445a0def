"""Puts a message aside and tells people: once for all of one stream, and for each booking that is named among them."""

from shared.clock import Clock
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.messages.hints import Hints, hints_of
from shared.ledger.alerts import AlertLedger
from shared.parked import Parked, ParkedList


class Parking:
    """The parked list, with the alert that belongs to it."""

    def __init__(self, parked: ParkedList, alerts: AlertLedger, clock: Clock) -> None:
        self._parked = parked
        self._alerts = alerts
        self._clock = clock

    def park(self, parked: Parked) -> None:
        """Keep the message, then raise the alert. Cut off between the two, the entry is handled, and told, again.

        Raises OfNewerVersion, having kept nothing, where a newer process must tell.
        """
        self._alerts.get(key_of(parked))
        parked_id = self._parked.park(parked)
        self._alerts.tell(alert_for(parked, parked_id, self._clock))


def key_of(parked: Parked) -> str:
    """Return the alert's key: one a booking where one is named, else one a stream, so that a flood is one alert."""
    booking_id = hints_of(parked.message).booking_id
    return f"parked/{parked.stream}/{booking_id}" if booking_id else f"parked/{parked.stream}"


def alert_for(parked: Parked, parked_id: str, clock: Clock, *, raised: bool = True) -> AlertNotice:
    """Return the alert for a parked message. It never quotes the message, only which booking it is about, and when."""
    hints = hints_of(parked.message)
    problem = Reason.BOOKING_PARKED if hints.booking_id else Reason.MESSAGE_PARKED
    return alert_notice(
        problem,
        key=key_of(parked),
        subject=_subject(parked, hints),
        at=clock(),
        raised=raised,
        look_closer=f"oracode parked show {parked_id}",
        check_in=hints.check_in if hints.booking_id else None,
        wall_check_in=hints.wall_check_in if hints.booking_id else None,
        booking_id=hints.booking_id or "",
    )


def _subject(parked: Parked, hints: Hints) -> str:
    return f"Booking {hints.booking_id}" if hints.booking_id else f"Stream {parked.stream}"
