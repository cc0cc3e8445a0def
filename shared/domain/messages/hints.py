"""What can still be read of a booking message that can't be used: the booking's id, and when the guest comes.

Only the alert needs it: it must be urgent if a guest comes soon. Nothing here decides what is done with the message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from shared.domain.messages.fields import Faults
from shared.domain.messages.time_fields import parse_booking_time
from shared.domain.stay.instants import CheckIn, check_in_at, wall_check_in
from shared.domain.stay.stay import DateOnly, Instant, WallTime
from shared.domain.times.wall_clock import find_zone


@dataclass(frozen=True, slots=True)
class Hints:
    """The booking's id and check-in, as far as they can be read.

    For a wall time, `wall_check_in` is that time, and `check_in` is the earliest moment that it can be in any zone.
    """

    booking_id: str | None = None
    check_in: datetime | None = None
    wall_check_in: datetime | None = None


def hints_of(text: str | None) -> Hints:
    """Read the fields that can be read. Never raises."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return Hints()
    fields = message.get("data", message) if isinstance(message, Mapping) else None
    if not isinstance(fields, Mapping):
        return Hints()
    booking_id = Faults().booking_id(fields)
    check_in = _check_in(fields.get("check_in"), fields.get("time_zone"))
    return Hints(booking_id, check_in.at if check_in else None, check_in.wall if check_in else None)


def _check_in(written: Any, time_zone: Any) -> CheckIn | None:
    name = time_zone if isinstance(time_zone, str) and find_zone(time_zone) else None
    try:
        match parse_booking_time(written, name):
            case Instant(at):
                return CheckIn(at, at)
            case WallTime() as wall:
                return check_in_at(wall, None)
            case DateOnly(on):
                return wall_check_in(datetime.combine(on, time()))
    except (TypeError, AttributeError, ValueError, OverflowError):
        return None
