"""A person replays or discards a parked message. Its alert closes soon when nothing parked stands for it any more."""

from dataclasses import replace

import structlog

from shared.parked import ParkedEntry, ParkedList
from worker.parking import Parking

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ReturnParked:
    """Takes messages off the parked list. The same order twice does nothing the second time."""

    def __init__(self, *, parked: ParkedList, parking: Parking) -> None:
        self._parked = parked
        self._parking = parking

    def replay(self, parked_id: str, *, by: str, message: str = "") -> None:
        """Put a message back into its stream; `message` replaces its text where it is given."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        mended = ParkedEntry(parked_id, replace(entry.parked, message=message)) if message else entry
        self._parked.replay(mended, by=by, is_mended=bool(message))
        log.info("parked.replayed", parked_id=parked_id, by=by, mended=bool(message))
        self._parking.tell_soon()

    def discard(self, parked_id: str, *, by: str, reason: str = "") -> None:
        """Throw a message away for good."""
        entry = self._parked.get(parked_id)
        if entry is None:
            log.info("parked.unknown", parked_id=parked_id)
            return
        self._parked.discard(entry)
        log.info("parked.discarded", parked_id=parked_id, by=by, reason_text=reason)
        self._parking.tell_soon()
