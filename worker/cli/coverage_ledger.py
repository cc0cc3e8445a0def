"""The bookings of the ledger, and their doors as Seam has them, for `oracode coverage` without files."""

from collections.abc import Sequence

from shared.domain.booking.record import Booking
from shared.domain.door.door import Door
from shared.domain.stay.stay import Stay
from worker.cli.coverage_inputs import SkippedBookings
from worker.cli.match_inputs import UnusableInput, load_door


def stays_in_ledger(doors: dict[str, Door], aside: SkippedBookings) -> list[list[tuple[Stay, Door]]]:
    """Return the stays of every booking in the ledger that isn't cancelled, each with its doors.

    Doors that aren't in `doors` are read from Seam, once each, and added to it. Raises RedisError, and the errors of
    `shared.seam.errors`.
    """
    from worker.cli.context import open_ledger  # noqa: PLC0415 - files alone need no ledger

    _, ports = open_ledger()
    bookings = [booking for booking in ports.ledger.all() if not booking.cancelled and booking.stay is not None]
    return [_stays(place, booking, doors, aside) for place, booking in enumerate(bookings, 1)]


def _stays(place: int, booking: Booking, doors: dict[str, Door], aside: SkippedBookings) -> list[tuple[Stay, Door]]:
    wanted = dict.fromkeys(door.device_id for door in booking.doors if door.wanted)
    found = [door for device_id in wanted if (door := _door(place, device_id, doors, aside)) is not None]
    return [(booking.stay, door) for door in found] if booking.stay is not None else []


def _door(place: int, device_id: str, doors: dict[str, Door], aside: SkippedBookings) -> Door | None:
    if device_id not in doors:
        try:
            doors[device_id] = load_door(device_id)
        except UnusableInput as error:
            aside.add(place, str(error))
            return None
    return doors[device_id]


def doors_named(devices: Sequence[str]) -> dict[str, Door]:
    """Return the doors of these device ids, read from Seam. Raises UnusableInput."""
    return {device_id.lower(): load_door(device_id) for device_id in devices}
