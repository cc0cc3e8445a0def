"""The meaning of Seam's event types: which `web` accepts, what each is about, and which prompt a look.

An event says that something happened, not what is true now. So an event never changes a booking: it prompts a look at
Seam, and the look changes the booking. That makes late, repeated and reordered events harmless.

Each family (`access_code.`, `device.`, `connected_account.`) has three sets: types that prompt a look, types that are
only noted, and unknown types. Unknown ones prompt a look, too: a needless look costs one call, a missing one may cost a
guest the door. A noted event of a code is part of the code's story. A noted event of a door or an account is of no use:
`web` ignores it, as it ignores other families.
"""

from enum import Enum, StrEnum, auto
from typing import Final


class Subject(StrEnum):
    """What an event is about."""

    CODE = "access_code"
    DOOR = "device"
    ACCOUNT = "connected_account"

    @property
    def id_field(self) -> str:
        """The field of an event that has its id."""
        return f"{self.value}_id"


class EventMeaning(Enum):
    """What an event type means to us."""

    READ_AGAIN = auto()
    """Something about the code, the door or the account may be different now: read it at Seam."""
    RECORD_ONLY = auto()
    """No reason to look. If it is about a code, it is part of the code's story."""
    UNKNOWN = auto()
    """A type that isn't known (yet): it is kept and counted, and prompts a look."""


# Seam SDK 3.18: `resources/seam_event.py`, and the names of its event filters that Seam has announced, not released.
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


_LOOK_AT_DOOR: Final = frozenset(
    f"device.{name}"
    for name in (
        # An Oracode lock is never online, but `error_code` may be `account_disconnected` (Seam SDK 3.18).
        "connected",
        "disconnected",
        "unmanaged.connected",
        "unmanaged.disconnected",
        "added",
        "removed",
        "deleted",
        "converted_to_unmanaged",
        "unmanaged.converted_to_managed",
        "name_changed",
        "third_party_integration_detected",
        "third_party_integration_no_longer_detected",
        "error.subscription_required",
        "error.subscription_required.resolved",
        "salto.privacy_mode_activated",
        "salto.privacy_mode_deactivated",
    )
)
# Frequent, and without effect on a code.
_NOTE_OF_DOOR: Final = frozenset(
    f"device.{name}"
    for name in (
        "low_battery",
        "battery_status_changed",
        "tampered",
        "doorbell_rang",
        "connection_became_flaky",
        "connection_stabilized",
        "accessory_keypad_connected",
        "accessory_keypad_disconnected",
    )
)
_LOOK_AT_ACCOUNT: Final = frozenset(
    f"connected_account.{name}"
    for name in (
        "connected",
        "created",
        "disconnected",
        "reauthorization_requested",
        "completed_first_sync",
        "completed_first_sync_after_reconnection",
        "deleted",
    )
)
# Deprecated; `connected` says the same.
_NOTE_OF_ACCOUNT: Final = frozenset({"connected_account.successful_login"})
_ALL_LOOK: Final = _LOOK | _LOOK_AT_DOOR | _LOOK_AT_ACCOUNT
_ALL_NOTE: Final = _NOTE | _NOTE_OF_DOOR | _NOTE_OF_ACCOUNT
KNOWN_TYPES: Final = _ALL_LOOK | _ALL_NOTE
"""The types that have a meaning of their own here."""

# Announced for access codes, but not sent yet: Seam refuses a webhook that asks for them.
_UNRELEASED: Final = frozenset(
    f"access_code.{name}"
    for name in ("issued", "delay_in_issuing", "failed_to_issue", "failed_to_update", "failed_to_delete")
)
# A lock of another make has these.
_OF_OTHER_LOCKS: Final = frozenset(each for each in _LOOK_AT_DOOR if ".salto." in each or ".unmanaged." in each)
NEEDED_TYPES: Final = _ALL_LOOK - _UNRELEASED - _OF_OTHER_LOCKS
"""The types that a webhook at Seam must have, unless it has all (`*`)."""


def subject_of(event_type: str) -> Subject | None:
    """Return what an event of this type is about; None if it is about something that we don't use."""
    # Codes first: nearly all events are about codes, and this runs for every webhook.
    if event_type.startswith("access_code."):
        return Subject.CODE
    if event_type.startswith("device."):
        return Subject.DOOR
    return Subject.ACCOUNT if event_type.startswith("connected_account.") else None


def is_ours(event_type: str) -> bool:
    """Say whether the worker wants events of this type: `web` accepts those, and ignores and counts all others."""
    subject = subject_of(event_type)
    return subject is Subject.CODE or (subject is not None and meaning_of(event_type) is not EventMeaning.RECORD_ONLY)


def meaning_of(event_type: str) -> EventMeaning:
    """Return what an event of this type means to us."""
    if event_type in _ALL_LOOK:
        return EventMeaning.READ_AGAIN
    return EventMeaning.RECORD_ONLY if event_type in _ALL_NOTE else EventMeaning.UNKNOWN
