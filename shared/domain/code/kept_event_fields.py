"""Which fields of a Seam event are kept. PINs have been taken out before (`shared.seam_event_redaction`)."""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.code.event_types import Subject, subject_of

_KEPT: Final = (
    "event_id",
    "event_type",
    "workspace_id",
    "device_id",
    "connected_account_id",
    "created_at",
    "occurred_at",
    "error_code",
)
_KEPT_ISSUES: Final = {
    "device_errors": "error_code",
    "device_warnings": "warning_code",
    "connected_account_errors": "error_code",
    "connected_account_warnings": "warning_code",
}
_LONGEST_KEPT: Final = 200
_MOST_KEPT: Final = 20
_NO_CODE: Final = "-"


def kept_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event that are kept: all if it is about a code, otherwise ids, type, times, issue codes.

    Doors and accounts are read again at Seam, so the rest of their events isn't needed; custom metadata may hold
    anything. Values that are too long, or of another type, are left out.
    """
    if subject_of(str(event.get("event_type"))) not in (Subject.DOOR, Subject.ACCOUNT):
        return event
    kept: dict[str, Any] = {name: event[name] for name in _KEPT if _is_short(event.get(name))}
    for name, code in _KEPT_ISSUES.items():
        listed = event.get(name)
        if isinstance(listed, list):
            found = (each.get(code) for each in listed[:_MOST_KEPT] if isinstance(each, Mapping))
            kept[name] = [{code: each} for each in found if _is_short(each)]
    # A worker of an older version would park an event without this field. The id belongs to no code.
    return kept | {"access_code_id": _NO_CODE}


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_KEPT
