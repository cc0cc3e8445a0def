"""A person replays or discards a parked message, and its alert closes when nothing parked stands for it any more."""

from dataclasses import replace

import structlog

from shared.clock import Clock
from shared.ledger.alerts import AlertLedger
from shared.parked import ParkedEntry, ParkedList
from worker.handlers.tell_parked import TellParked

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ReturnParked:
    """Takes messages off the parked list. The same order twice does nothing the second time."""

    def __init__(self, *, parked: ParkedList, alerts: AlertLedger, clock: Clock) -> None:
        self._parked = parked
        self._tell = TellParked(parked=parked, alerts=alerts, clock=clock)

    def replay(self, parked_id: str, *, by: str, message: str = "") -> None:
        """Put a message back into its stream; `message` replaces its text where it is given."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        mended = ParkedEntry(parked_id, replace(entry.parked, message=message)) if message else entry
        self._parked.replay(mended)
        log.info("parked.replayed", parked_id=parked_id, by=by, mended=bool(message))
        self._tell()

    def discard(self, parked_id: str, *, by: str, reason: str = "") -> None:
        """Throw a message away for good."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        self._parked.discard(entry)
        log.info("parked.discarded", parked_id=parked_id, by=by, reason_text=reason)
        self._tell()
