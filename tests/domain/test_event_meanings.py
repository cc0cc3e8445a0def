"""Every access code event that Seam documents has an explicit meaning; what it invents later has one too."""

import pytest

from shared.domain.events import Meaning, meaning_of

# seam-facts §1.4, row by row. Whoever adds one decides here what it means.
DOCUMENTED = {
    "created": Meaning.NOTE,
    "changed": Meaning.LOOK,
    "name_changed": Meaning.NOTE,
    "code_changed": Meaning.LOOK,
    "time_frame_changed": Meaning.LOOK,
    "mutations_requested": Meaning.NOTE,
    "scheduled_on_device": Meaning.LOOK,
    "set_on_device": Meaning.LOOK,
    "removed_from_device": Meaning.LOOK,
    "delay_in_setting_on_device": Meaning.LOOK,
    "failed_to_set_on_device": Meaning.LOOK,
    "deleted": Meaning.LOOK,
    "delay_in_removing_from_device": Meaning.NOTE,
    "failed_to_remove_from_device": Meaning.LOOK,
    "modified_external_to_seam": Meaning.LOOK,
    "deleted_external_to_seam": Meaning.LOOK,
    "backup_access_code_pulled": Meaning.LOOK,
    "unmanaged.converted_to_managed": Meaning.LOOK,
    "unmanaged.created": Meaning.LOOK,
    "unmanaged.removed": Meaning.LOOK,
    "unmanaged.failed_to_convert_to_managed": Meaning.LOOK,
    "issued": Meaning.LOOK,
    "delay_in_issuing": Meaning.LOOK,
    "failed_to_issue": Meaning.LOOK,
    "failed_to_update": Meaning.LOOK,
    "failed_to_delete": Meaning.LOOK,
}


@pytest.mark.parametrize(("name", "meaning"), DOCUMENTED.items(), ids=DOCUMENTED.keys())
def test_documented_events(name: str, meaning: Meaning) -> None:
    """Looked at where the code may be different now; else part of its story."""
    assert meaning_of(f"access_code.{name}") is meaning


@pytest.mark.parametrize(
    "event_type",
    ["access_code.teleported", "access_code.", "lock.locked", "set_on_device", "ACCESS_CODE.CREATED", ""],
)
def test_what_is_not_known_is_looked_at(event_type: str) -> None:
    """Unknown is a meaning of its own, not an exception."""
    assert meaning_of(event_type) is Meaning.UNKNOWN
