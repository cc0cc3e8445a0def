"""What can still be read of a booking message that can't be used: the booking's id and the check-in.

They only decide how urgently people are told. So the check-in is also read under similar names (`checkIn`, `arrival`,
see `near_misses`): the message isn't applied, but its guest comes nevertheless.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.domain.messages.fields import FieldReader
from shared.domain.messages.message import MessageType
from shared.domain.messages.near_misses import plain_name, values_for
from shared.domain.messages.status_fields import HOLD_BOOKINGS, LONGEST_NAME, WRAPS_THE_BOOKING
from shared.domain.messages.time_fields import parse_booking_time
from shared.domain.stay.instants import CheckIn, check_in_at, wall_check_in
from shared.domain.stay.stay import DateOnly, Instant, WallTime
from shared.domain.times.wall_clock import find_zone

# Objects that may hold the booking, by their plain names.
_HOLD_IT: Final = frozenset({*WRAPS_THE_BOOKING, *HOLD_BOOKINGS, "data", "message"})
_DEEPEST: Final = 3
_MOST_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Hints:
    """The booking's id and check-in, as far as they can be read.

    For a wall time, `wall_check_in` is that time, and `check_in` is the earliest moment that it can be in any zone.
    """

    booking_id: str | None = None
    check_in: datetime | None = None
    wall_check_in: datetime | None = None

    def at_door(self, time_zone: str | None) -> CheckIn | None:
        """Return the check-in at a door of this zone (None: nobody knows it); None where no check-in was read."""
        if self.wall_check_in is not None:
            return check_in_at(WallTime(self.wall_check_in), time_zone)
        return CheckIn(self.check_in, self.check_in) if self.check_in is not None else None


def hints_of(text: str | None) -> Hints:
    """Read what can be read. Never raises.

    If `check_in` itself can't be read, similar names are tried, also in an object that may hold the booking; but not in
    a message of the type `booking.cancelled`, which needs no check-in.
    """
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return Hints()
    fields = message.get("data", message) if isinstance(message, Mapping) else None
    if not isinstance(fields, Mapping):
        return Hints()
    booking_id = FieldReader().booking_id(fields)
    check_in = _check_in(fields.get("check_in"), _zone([fields.get("time_zone")]))
    if check_in is None and message.get("type") != MessageType.CANCELLED:
        check_in = next(filter(None, map(_check_in_of, _places(fields))), None)
    return Hints(booking_id, check_in.at if check_in else None, check_in.wall if check_in else None)


def _places(fields: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield an object, then those within it that may hold the booking."""
    yield fields
    for name, value in islice(fields.items(), _MOST_LOOKED_AT if depth < _DEEPEST else 0):
        held = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(held, Mapping) and plain_name(name[:LONGEST_NAME]) in _HOLD_IT:
            yield from _places(held, depth + 1)


def _check_in_of(fields: Mapping[str, Any]) -> CheckIn | None:
    zone = _zone(values_for(fields, "time_zone"))
    return next((at for value in values_for(fields, "check_in") if (at := _check_in(value, zone)) is not None), None)


def _zone(values: Iterable[object]) -> str | None:
    """Return the first of the values that is a zone's name."""
    names = (value for value in values if isinstance(value, str))
    return next((name for name in names if isinstance(find_zone(name), ZoneInfo)), None)


def _check_in(written: Any, time_zone: str | None) -> CheckIn | None:
    try:
        match parse_booking_time(written, time_zone):
            case Instant(at):
                return CheckIn(at, at)
            case WallTime() as wall:
                return check_in_at(wall, None)
            case DateOnly(on):
                return wall_check_in(datetime.combine(on, time()))
    except (TypeError, AttributeError, ValueError, OverflowError):
        return None
