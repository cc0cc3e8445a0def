"""Puts a message aside and tells people, once for all that are parked from one stream."""

from shared.clock import Clock
from shared.domain.records import AlertNotice
from shared.domain.troubles import TROUBLES
from shared.ledger.alerts import AlertLedger
from shared.parked import Parked, ParkedList


class Parking:
    """The parked list, with the alert that belongs to it."""

    def __init__(self, parked: ParkedList, alerts: AlertLedger, clock: Clock) -> None:
        self._parked = parked
        self._alerts = alerts
        self._clock = clock

    def park(self, parked: Parked) -> None:
        """Keep the message, then raise the alert. Cut off between the two, the entry is handled, and told, again."""
        parked_id = self._parked.park(parked)
        self._alerts.tell(alert_for(parked, parked_id, self._clock))


def alert_for(parked: Parked, parked_id: str, clock: Clock, *, raised: bool = True) -> AlertNotice:
    """Return the alert for a parked message: one key a stream, so that a flood is one alert that counts."""
    trouble = TROUBLES["message_parked"]
    return AlertNotice(
        at=clock(),
        raised=raised,
        key=f"parked/{parked.stream}",
        problem="message_parked",
        subject=f"Stream {parked.stream}",
        happened=trouble.happened,
        next_step=trouble.next_step,
        actor=trouble.actor,
        look_closer=f"oracode parked show {parked_id}",
    )
