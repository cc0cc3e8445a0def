"""A person replays or discards a parked message, and its alert closes when nothing parked stands for it any more."""

from collections.abc import Iterable
from dataclasses import replace

import structlog

from shared.clock import Clock
from shared.ledger.alerts import AlertLedger
from shared.parked import ParkedEntry, ParkedList
from worker.parking import alert_for, key_of

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ReturnParked:
    """Takes messages off the parked list. The same order twice does nothing the second time."""

    def __init__(self, *, parked: ParkedList, alerts: AlertLedger, clock: Clock) -> None:
        self._parked = parked
        self._alerts = alerts
        self._clock = clock

    def replay(self, parked_id: str, *, by: str, message: str = "") -> None:
        """Put a message back into its stream; `message` replaces its text where it is given."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        mended = ParkedEntry(parked_id, replace(entry.parked, message=message)) if message else entry
        self._parked.replay(mended)
        log.info("parked.replayed", parked_id=parked_id, by=by, mended=bool(message))
        self._resolve(entry)

    def discard(self, parked_id: str, *, by: str, reason: str = "") -> None:
        """Throw a message away for good."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        self._parked.discard(entry)
        log.info("parked.discarded", parked_id=parked_id, by=by, reason_text=reason)
        self._resolve(entry)

    def _resolve(self, entry: ParkedEntry) -> None:
        resolve_alerts_of_none([entry], parked=self._parked, alerts=self._alerts, clock=self._clock)


def resolve_alerts_of_none(
    gone: Iterable[ParkedEntry], *, parked: ParkedList, alerts: AlertLedger, clock: Clock
) -> None:
    """Resolve each alert of the messages that are `gone` that nothing parked stands for any more."""
    left = {key_of(entry.parked) for entry in parked.list()}
    for key, entry in {key_of(each.parked): each for each in gone}.items():
        if key not in left:
            alerts.tell(alert_for(entry.parked, entry.parked_id, clock, raised=False))
