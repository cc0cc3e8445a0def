"""Bookings that are no guest's: the test codes that a person makes on a door (`oracode codes test`). Pure."""

import re
from typing import Final

_TRIAL: Final = re.compile(r"TEST-.+-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{8}")


def is_trial(booking_id: str) -> bool:
    """Say whether the booking is a test code. The person who made it was told which stays it overlaps."""
    return _TRIAL.fullmatch(booking_id) is not None
