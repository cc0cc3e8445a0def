"""What a booking message that can't be used tells all the same: whose it is, and when the guest comes.

For the alert alone: it must hurry if somebody will stand at a door soon. Nothing here decides over a message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Hints:
    """The booking's id and check-in, as far as they can be read; a local time is taken as UTC, near enough to hurry."""

    booking_id: str | None = None
    check_in: datetime | None = None


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
    return Hints(booking_id if is_id else None, _moment(fields.get("check_in")))


def _moment(written: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
