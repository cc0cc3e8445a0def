"""Matches as plain objects, for output and for records: the shapes of the contract."""

from datetime import timedelta
from typing import Any

from shared.domain.door.door import TimeSlot
from shared.domain.matching.rules import Considered
from shared.domain.times.wall_clock import microseconds

_MINUTE = 60_000_000


def minutes(gap: timedelta | None) -> int | float | None:
    """Return a gap in minutes; an int if it is a whole number."""
    if gap is None:
        return None
    whole, rest = divmod(microseconds(gap), _MINUTE)
    return gap / timedelta(minutes=1) if rest else whole


def slot_json(slot: TimeSlot) -> dict[str, Any]:
    """Return the fields that identify a slot."""
    return {"name": slot.name, "user_level_id": slot.user_level_id, "prefix": slot.prefix}


def considered_json(one: Considered) -> dict[str, Any]:
    """Return one slot's verdict and gaps."""
    return {
        "name": one.slot.name,
        "user_level_id": one.slot.user_level_id,
        "check_in_gap_minutes": minutes(one.check_in_gap),
        "check_out_gap_minutes": minutes(one.check_out_gap),
        "verdict": one.verdict.value,
        "problem": one.problem,
    }
