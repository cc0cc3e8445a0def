"""The story of one access code, from Seam's events: each event once, in the order in which they happened.

Webhooks come twice, out of order, and hours late; late ones are marked. If the same events come in another order, only
these marks differ.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.booking.record import HistoryEntry
from shared.domain.seam_issues import IssueKind, ModifiedField, fields_in_words, issue_in_words

_SAYS: Final[Mapping[str, str]] = {
    "created": "Seam has the code.",
    "changed": "The code was changed.",
    "name_changed": "The code's name was changed.",
    "code_changed": "The code's PIN was changed.",
    "time_frame_changed": "The code's times were changed.",
    "mutations_requested": "A change of the code was asked for.",
    "scheduled_on_device": "The code is scheduled on the lock.",
    "set_on_device": "The code is set on the lock.",
    "removed_from_device": "The code was removed from the lock.",
    "delay_in_setting_on_device": "Setting the code takes longer than usual.",
    "failed_to_set_on_device": "Setting the code failed.",
    "deleted": "The code was deleted.",
    "delay_in_removing_from_device": "Removing the code takes longer than usual.",
    "failed_to_remove_from_device": "Removing the code failed.",
    "modified_external_to_seam": "Somebody changed the code outside Seam.",
    "deleted_external_to_seam": "Somebody deleted the code outside Seam.",
    "backup_access_code_pulled": "A backup code was pulled in this one's place.",
    "unmanaged.converted_to_managed": "Seam manages the code again.",
    "unmanaged.created": "Seam doesn't manage the code any more.",
    "unmanaged.removed": "The code, which Seam doesn't manage, was removed.",
    "unmanaged.failed_to_convert_to_managed": "Seam failed to manage the code again.",
    "issued": "The code was issued.",
    "delay_in_issuing": "Issuing the code takes longer than usual.",
    "failed_to_issue": "Issuing the code failed.",
    "failed_to_update": "Changing the code failed.",
    "failed_to_delete": "Deleting the code failed.",
}

# The fields of an event that list issues. Of each: the field of an issue that holds its code, and the kind of issue.
_ISSUES: Final = (
    ("access_code_errors", "error_code", IssueKind.CODE_ERROR),
    ("device_errors", "error_code", IssueKind.DOOR_ERROR),
    ("connected_account_errors", "error_code", IssueKind.DOOR_ERROR),
    ("access_code_warnings", "warning_code", IssueKind.CODE_WARNING),
    ("device_warnings", "warning_code", IssueKind.DOOR_WARNING),
    ("connected_account_warnings", "warning_code", IssueKind.ACCOUNT_WARNING),
)
_MOST_PROPERTIES: Final = 10


def occurred_at(event: Mapping[str, Any]) -> datetime | None:
    """Return when an event happened; None if it has no time that can be read."""
    return _moment(event.get("occurred_at"))


def moment_of(event: Mapping[str, Any]) -> datetime | None:
    """Return when Seam recorded an event (Seam's list of events goes by this time); None if it can't be read."""
    return _moment(event.get("created_at")) or occurred_at(event)


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def story_of(events: Iterable[Mapping[str, Any]]) -> list[HistoryEntry]:
    """Return a line for each event, ordered by time; `events` are in the order in which they arrived."""
    lines: list[HistoryEntry] = []
    seen: set[str] = set()
    newest = datetime.fromtimestamp(0, UTC)
    for event in events:
        event_id = str(event.get("event_id"))
        if event_id in seen:
            continue
        seen.add(event_id)
        at = occurred_at(event)
        is_late = at is not None and at < newest
        newest = max(newest, at) if at is not None else newest
        lines.append(_line(event, event_id, at or newest, is_late=is_late))
    return sorted(lines, key=lambda line: (line.at, str(line.facts["event_id"])))


def replaces_pin(event: Mapping[str, Any]) -> bool:
    """Say whether an event says that an existing PIN was replaced. The PINs themselves have been taken out.

    A first PIN is no replacement. Then the old value is null, and the redaction dropped it.
    """
    event_type = str(event.get("event_type"))
    if event_type == "access_code.code_changed":
        before = event.get("from")
        return isinstance(before, Mapping) and before.get("code") is not None
    if event_type == "access_code.changed":
        changes = event.get("changed_properties")
        return isinstance(changes, list) and any(
            isinstance(change, Mapping) and change.get("property") == "code" and change.get("from") is not None
            for change in changes
        )
    return event_type == "access_code.backup_access_code_pulled"


def _line(event: Mapping[str, Any], event_id: str, at: datetime, *, is_late: bool) -> HistoryEntry:
    event_type = str(event.get("event_type"))
    name = event_type.removeprefix("access_code.")
    text = _SAYS.get(name, "Something that is not known yet.")
    if changed := _changed(event):
        text = f"{text.rstrip('.')}: {changed}."
    text += "".join(f" {words}." for words in _issues(event))
    if is_late:
        text += " (Heard of late: newer news had come before.)"
    return HistoryEntry(at=at, what=event_type, text=text, facts={"event_id": event_id, "late": is_late})


def _changed(event: Mapping[str, Any]) -> str:
    """Return which properties an event says were changed. Their values aren't shown: they may hold anything."""
    listed = event.get("changed_properties")
    names = (each.get("property") for each in listed if isinstance(each, Mapping)) if isinstance(listed, list) else ()
    return fields_in_words([ModifiedField(name) for name in names if isinstance(name, str)][:_MOST_PROPERTIES])


def _issues(event: Mapping[str, Any]) -> Iterable[str]:
    for field, code_field, kind in _ISSUES:
        issues = event.get(field)
        for issue in issues if isinstance(issues, list) else ():
            if isinstance(issue, Mapping):
                code, message = str(issue.get(code_field, "unknown")), str(issue.get("message", "")).rstrip(".")
                yield issue_in_words(kind, code, message, change_type=str(issue.get("change_type") or ""))
