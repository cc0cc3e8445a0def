"""What each Seam event is to us. Three explicit sets: those that make us look, those that are only noted, all others.

An event says *that* something happened; Seam, asked again, says *what is*. So an event never moves a booking by itself:
it prompts a look, and the look moves it. That makes late, repeated and reordered events harmless.
"""

from enum import Enum, auto
from typing import Final


class Meaning(Enum):
    """What an event's type means."""

    LOOK = auto()
    """Something about the code may be different now: read it at Seam."""
    NOTE = auto()
    """Part of the code's story, and no reason to look."""
    UNKNOWN = auto()
    """A type that isn't known (yet): kept, counted, and a reason to look."""


# Seam SDK 3.18, `resources/seam_event.py`, and the announced but unreleased names of its event filters.
_LOOK: Final = frozenset(
    f"access_code.{name}"
    for name in (
        "changed",
        "code_changed",
        "time_frame_changed",
        "scheduled_on_device",
        "set_on_device",
        "removed_from_device",
        "delay_in_setting_on_device",
        "failed_to_set_on_device",
        "deleted",
        "failed_to_remove_from_device",
        "modified_external_to_seam",
        "deleted_external_to_seam",
        "backup_access_code_pulled",
        "unmanaged.created",
        "unmanaged.converted_to_managed",
        "unmanaged.removed",
        "unmanaged.failed_to_convert_to_managed",
        "issued",
        "delay_in_issuing",
        "failed_to_issue",
        "failed_to_update",
        "failed_to_delete",
    )
)
_NOTE: Final = frozenset(
    f"access_code.{name}"
    for name in (
        "created",
        "name_changed",
        "mutations_requested",
        "delay_in_removing_from_device",
    )
)


def meaning_of(event_type: str) -> Meaning:
    """Return what an event of this type means to us."""
    if event_type in _LOOK:
        return Meaning.LOOK
    return Meaning.NOTE if event_type in _NOTE else Meaning.UNKNOWN
