"""Whether a booking was ended on purpose: a person gave it times that are over, and knew that it ends by them. Pure.

The order writes down in the booking's story by which message it ends. So the message of a booking system is never taken
for such an order, whatever it says.
"""

from collections.abc import Iterable
from typing import Any, Final

from shared.domain.booking.record import HistoryEntry

CHANGE_ASKED: Final = "booking.change_asked"
"""The line of a story that says which change a person asked for."""
_ENDS_BY: Final = "ends_by_message"
_APPLIED: Final = "message.applied"


def ends_by_message(message_id: str) -> dict[str, Any]:
    """Return the facts of the line by which a person ends the booking with the message of this id."""
    return {_ENDS_BY: message_id}


def is_ended_on_purpose(story: Iterable[HistoryEntry]) -> bool:
    """Say whether the newest message that was applied is one by which a person ends the booking. Oldest line first."""
    lines = list(story)
    known = {line.facts.get(_ENDS_BY) for line in lines if line.what == CHANGE_ASKED}
    newest = next((line.facts.get("message_id") for line in reversed(lines) if line.what == _APPLIED), None)
    return newest is not None and newest in known
