"""What a booking message that can't be used tells all the same: whose it is, and when the guest comes.

For the alert alone: it must hurry if somebody will stand at a door soon. Nothing here decides over a message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.stay.instants import CheckIn, wall_check_in
from shared.domain.times.wall_clock import find_zone, instant_at

_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Hints:
    """The booking's id and check-in, as far as they can be read.

    `check_in` of a wall time is the earliest moment that it can be anywhere; `wall_check_in` is that wall time then.
    """

    booking_id: str | None = None
    check_in: datetime | None = None
    wall_check_in: datetime | None = None


def hints_of(text: str | None) -> Hints:
    """Read whatever can be read. Never raises."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return Hints()
    fields = message.get("data", message) if isinstance(message, Mapping) else None
    if not isinstance(fields, Mapping):
        return Hints()
    booking_id = fields.get("booking_id")
    is_id = isinstance(booking_id, str) and 0 < len(booking_id) <= _LONGEST_ID and booking_id.isprintable()
    check_in = _check_in(fields.get("check_in"), fields.get("time_zone"))
    return Hints(booking_id if is_id else None, check_in.at if check_in else None, check_in.wall if check_in else None)


def _check_in(written: Any, time_zone: Any) -> CheckIn | None:
    zone = find_zone(time_zone) if isinstance(time_zone, str) else None
    try:
        at = datetime.fromisoformat(written)
        if at.tzinfo is None and zone is not None:
            at = instant_at(at, zone)
        return CheckIn(at, at) if at.tzinfo is not None else wall_check_in(at)
    except (TypeError, ValueError, OverflowError):
        return None
