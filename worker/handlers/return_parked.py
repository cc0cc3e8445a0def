"""A person replays or discards a parked message. Its alert closes soon when nothing parked stands for it any more."""

from dataclasses import replace

import structlog

from shared.parked import ParkedEntry, ParkedList
from shared.parked_orders import ParkedOrder, ParkedOrders, mark_of
from shared.replay_results import ReplayResults, counted_order
from worker.parking import Parking

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ReturnParked:
    """Takes messages off the parked list. The same order twice does nothing the second time.

    Of several orders of one message the first counts. Of the others it is noted that they came too late.
    """

    def __init__(self, *, parked: ParkedList, parking: Parking, replays: ReplayResults, orders: ParkedOrders) -> None:
        self._parked = parked
        self._parking = parking
        self._replays = replays
        self._orders = orders

    def replay(self, order_id: str, parked_id: str, *, by: str, message: str = "") -> None:
        """Put a message back into its stream; `message` replaces its text where it is given."""
        entry = self._parked.get(parked_id)
        if entry is not None:
            mended = ParkedEntry(parked_id, replace(entry.parked, message=message)) if message else entry
            if self._parked.replay(mended, by=by, is_mended=bool(message), order=order_id):
                log.info("parked.replayed", parked_id=parked_id, by=by, mended=bool(message))
                self._parking.tell_soon()
                return
        given = ParkedOrder(by=by, is_discard=False, order=order_id, text=mark_of(message))
        self._note_late(parked_id, given)

    def discard(self, order_id: str, parked_id: str, *, by: str, reason: str = "") -> None:
        """Throw a message away for good."""
        entry = self._parked.get(parked_id)
        if entry is not None and self._parked.discard(entry, by=by, reason=reason, order=order_id):
            log.info("parked.discarded", parked_id=parked_id, by=by, reason_text=reason)
            self._parking.tell_soon()
            return
        self._note_late(parked_id, ParkedOrder(by=by, is_discard=True, order=order_id, reason=reason))

    def _note_late(self, parked_id: str, given: ParkedOrder) -> None:
        """Note that another order took the message off the list before."""
        counted = counted_order(self._replays, self._orders, parked_id)
        if counted is None:
            log.info("parked.unknown", parked_id=parked_id)
        elif counted.order != given.order:
            self._orders.note_late(parked_id, given)
            log.info("parked.too_late", parked_id=parked_id, by=given.by, discard=given.is_discard)
        # Else the order itself comes again: a worker was killed after it had carried it out.
