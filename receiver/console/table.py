"""Every operation of the console, in the order in which addresses are tried."""

from typing import Final

from receiver.console.operations import Operation
from receiver.console.views import (
    alerts,
    arrivals,
    booking,
    booking_actions,
    bookings,
    bulk,
    bulk_parked,
    change_stay,
    discards,
    door_tests,
    doors,
    find,
    health,
    parked,
    replays,
    residual,
    reveal,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *arrivals.OPERATIONS,
    *bookings.OPERATIONS,
    *bulk.OPERATIONS,
    *bulk_parked.OPERATIONS,
    *booking_actions.OPERATIONS,
    *change_stay.OPERATIONS,
    *reveal.OPERATIONS,
    *booking.OPERATIONS,
    *alerts.OPERATIONS,
    *parked.OPERATIONS,
    *replays.OPERATIONS,
    *discards.OPERATIONS,
    *find.OPERATIONS,
    *door_tests.OPERATIONS,
    *doors.OPERATIONS,
    *residual.OPERATIONS,
    *health.OPERATIONS,
)
