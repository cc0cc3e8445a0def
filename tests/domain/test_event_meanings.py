"""Every event type that Seam documents has an explicit meaning here; so have types that Seam adds later."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.domain.code.event_types import (
    KNOWN_TYPES,
    NEEDED_TYPES,
    EventMeaning,
    Subject,
    is_ours,
    meaning_of,
    subject_of,
)
from shared.domain.code.kept_event_fields import kept_of

# Every `access_code.` type of Seam's SDK 3.18, `resources/seam_event.py`. For a new type, decide here what it means.
DOCUMENTED = {
    "created": EventMeaning.RECORD_ONLY,
    "changed": EventMeaning.READ_AGAIN,
    "name_changed": EventMeaning.RECORD_ONLY,
    "code_changed": EventMeaning.READ_AGAIN,
    "time_frame_changed": EventMeaning.READ_AGAIN,
    "mutations_requested": EventMeaning.RECORD_ONLY,
    "scheduled_on_device": EventMeaning.READ_AGAIN,
    "set_on_device": EventMeaning.READ_AGAIN,
    "removed_from_device": EventMeaning.READ_AGAIN,
    "delay_in_setting_on_device": EventMeaning.READ_AGAIN,
    "failed_to_set_on_device": EventMeaning.READ_AGAIN,
    "deleted": EventMeaning.READ_AGAIN,
    "delay_in_removing_from_device": EventMeaning.RECORD_ONLY,
    "failed_to_remove_from_device": EventMeaning.READ_AGAIN,
    "modified_external_to_seam": EventMeaning.READ_AGAIN,
    "deleted_external_to_seam": EventMeaning.READ_AGAIN,
    "backup_access_code_pulled": EventMeaning.READ_AGAIN,
    "unmanaged.converted_to_managed": EventMeaning.READ_AGAIN,
    "unmanaged.created": EventMeaning.READ_AGAIN,
    "unmanaged.removed": EventMeaning.READ_AGAIN,
    "unmanaged.failed_to_convert_to_managed": EventMeaning.READ_AGAIN,
    "issued": EventMeaning.READ_AGAIN,
    "delay_in_issuing": EventMeaning.READ_AGAIN,
    "failed_to_issue": EventMeaning.READ_AGAIN,
    "failed_to_update": EventMeaning.READ_AGAIN,
    "failed_to_delete": EventMeaning.READ_AGAIN,
}


@pytest.mark.parametrize(("name", "meaning"), DOCUMENTED.items(), ids=DOCUMENTED.keys())
def test_documented_events(name: str, meaning: EventMeaning) -> None:
    """A look if the code may be different now; otherwise the event is only noted."""
    assert meaning_of(f"access_code.{name}") is meaning


@pytest.mark.parametrize(
    "event_type",
    ["access_code.teleported", "access_code.", "lock.locked", "set_on_device", "ACCESS_CODE.CREATED", ""],
)
def test_unknown_types_prompt_a_look(event_type: str) -> None:
    """Unknown is a meaning of its own, not an error."""
    assert meaning_of(event_type) is EventMeaning.UNKNOWN


# Every `device.` and `connected_account.` type of Seam's SDK 3.18, `resources/seam_event.py`.
DOORS_AND_ACCOUNTS = {
    "device.connected": EventMeaning.READ_AGAIN,
    "device.disconnected": EventMeaning.READ_AGAIN,
    "device.added": EventMeaning.READ_AGAIN,
    "device.removed": EventMeaning.READ_AGAIN,
    "device.deleted": EventMeaning.READ_AGAIN,
    "device.converted_to_unmanaged": EventMeaning.READ_AGAIN,
    "device.name_changed": EventMeaning.READ_AGAIN,
    "device.unmanaged.connected": EventMeaning.READ_AGAIN,
    "device.unmanaged.disconnected": EventMeaning.READ_AGAIN,
    "device.unmanaged.converted_to_managed": EventMeaning.READ_AGAIN,
    "device.third_party_integration_detected": EventMeaning.READ_AGAIN,
    "device.third_party_integration_no_longer_detected": EventMeaning.READ_AGAIN,
    "device.error.subscription_required": EventMeaning.READ_AGAIN,
    "device.error.subscription_required.resolved": EventMeaning.READ_AGAIN,
    "device.salto.privacy_mode_activated": EventMeaning.READ_AGAIN,
    "device.salto.privacy_mode_deactivated": EventMeaning.READ_AGAIN,
    "device.low_battery": EventMeaning.RECORD_ONLY,
    "device.battery_status_changed": EventMeaning.RECORD_ONLY,
    "device.tampered": EventMeaning.RECORD_ONLY,
    "device.doorbell_rang": EventMeaning.RECORD_ONLY,
    "device.connection_became_flaky": EventMeaning.RECORD_ONLY,
    "device.connection_stabilized": EventMeaning.RECORD_ONLY,
    "device.accessory_keypad_connected": EventMeaning.RECORD_ONLY,
    "device.accessory_keypad_disconnected": EventMeaning.RECORD_ONLY,
    "connected_account.connected": EventMeaning.READ_AGAIN,
    "connected_account.created": EventMeaning.READ_AGAIN,
    "connected_account.disconnected": EventMeaning.READ_AGAIN,
    "connected_account.reauthorization_requested": EventMeaning.READ_AGAIN,
    "connected_account.completed_first_sync": EventMeaning.READ_AGAIN,
    "connected_account.completed_first_sync_after_reconnection": EventMeaning.READ_AGAIN,
    "connected_account.deleted": EventMeaning.READ_AGAIN,
    "connected_account.successful_login": EventMeaning.RECORD_ONLY,
    "device.teleported": EventMeaning.UNKNOWN,
    "connected_account.teleported": EventMeaning.UNKNOWN,
}


@pytest.mark.parametrize(("event_type", "meaning"), DOORS_AND_ACCOUNTS.items(), ids=DOORS_AND_ACCOUNTS.keys())
def test_events_of_doors_and_accounts(event_type: str, meaning: EventMeaning) -> None:
    """They prompt a read if something may keep codes from working; frequent ones that don't are only noted."""
    assert meaning_of(event_type) is meaning
    assert is_ours(event_type) is (meaning is not EventMeaning.RECORD_ONLY)


def test_every_type_that_has_a_meaning_is_listed_here() -> None:
    """The reverse holds, too, except for the examples of unknown types."""
    listed = {f"access_code.{name}": meaning for name, meaning in DOCUMENTED.items()} | DOORS_AND_ACCOUNTS
    assert {name for name, meaning in listed.items() if meaning is not EventMeaning.UNKNOWN} == KNOWN_TYPES


def test_the_page_names_every_type_that_prompts_no_look(project: Path) -> None:
    """For codes those that are only noted; for doors and accounts those that `web` ignores."""
    head, _, rest = (project / "docs/lifecycle.md").read_text().partition("## State × event")
    noted = {name for name, meaning in DOCUMENTED.items() if meaning is EventMeaning.RECORD_ONLY}
    assert set(re.findall(r"`([a-z_.]+)`", re.findall(r"only noted\n?\s*\(([^)]+)\)", head)[0])) == noted
    ignored = re.findall(r"`web` ignores a few types.+?\n\n", rest, re.DOTALL)[0]
    quiet = {name for name, meaning in DOORS_AND_ACCOUNTS.items() if meaning is EventMeaning.RECORD_ONLY}
    assert set(re.findall(r"`([a-z_.]+)`", ignored)) - {"web"} == quiet


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        ("access_code.set_on_device", Subject.CODE),
        ("access_code.teleported", Subject.CODE),
        ("device.disconnected", Subject.DOOR),
        ("connected_account.deleted", Subject.ACCOUNT),
        ("lock.locked", None),
        ("action_attempt.lock_door.failed", None),
        ("noise_sensor.noise_threshold_triggered", None),
        ("connect_webview.login_succeeded", None),
        ("device", None),
        ("devices.connected", None),
        ("DEVICE.connected", None),
        ("", None),
    ],
)
def test_what_an_event_is_about(event_type: str, subject: Subject | None) -> None:
    """`web` ignores events about other things; it ignores none about codes."""
    assert subject_of(event_type) is subject
    assert is_ours(event_type) is (subject is not None)


def test_a_webhook_must_send_all_types_that_prompt_a_look() -> None:
    """But not types that Seam has only announced: it refuses a webhook that asks for them."""
    assert {"access_code.set_on_device", "device.disconnected", "connected_account.disconnected"} <= NEEDED_TYPES
    assert all(meaning_of(each) is EventMeaning.READ_AGAIN for each in NEEDED_TYPES)
    assert "access_code.failed_to_issue" not in NEEDED_TYPES


DISCONNECTED: dict[str, Any] = {
    "event_id": "e-1",
    "event_type": "device.disconnected",
    "workspace_id": "w-1",
    "device_id": "d-1",
    "connected_account_id": "a-1",
    "created_at": "2026-12-01T10:00:00Z",
    "occurred_at": "2026-12-01T09:59:59Z",
    "event_description": "long",
    "error_code": "account_disconnected",
    "device_errors": [
        {"error_code": "account_disconnected", "message": "Log in.", "created_at": "x"},
        7,
        {"message": 1},
    ],
    "device_custom_metadata": {"owner": "Ann"},
    "connected_account_custom_metadata": {"phone": "1234567"},
    "customer_key": "c-1",
    "connected_account_errors": "none",
    "connected_account_warnings": [{"warning_code": "w" * 999}] * 99,
}


def test_events_of_doors_are_kept_short() -> None:
    """Ids, type, times and the codes of issues; nothing that may hold other data."""
    assert kept_of(DISCONNECTED) == {
        "event_id": "e-1",
        "event_type": "device.disconnected",
        "workspace_id": "w-1",
        "device_id": "d-1",
        "connected_account_id": "a-1",
        "created_at": "2026-12-01T10:00:00Z",
        "occurred_at": "2026-12-01T09:59:59Z",
        "error_code": "account_disconnected",
        "device_errors": [{"error_code": "account_disconnected"}],
        "connected_account_warnings": [],
        # For workers of an older version, which park an event without it.
        "access_code_id": "-",
    }


def test_events_of_codes_are_kept_whole() -> None:
    """Their story needs them."""
    event = {"event_id": "e", "event_type": "access_code.changed", "access_code_id": "c", "change_reason": "x" * 999}
    assert kept_of(event) is event


def test_what_is_kept_is_bounded() -> None:
    """Whatever the event contains."""
    filled = dict.fromkeys(DISCONNECTED, "x" * 200) | {"event_type": "device.new"}
    issues = {
        f"{who}_{what}s": [{f"{what}_code": "x" * 200}] * 99
        for who in ("device", "connected_account")
        for what in ("error", "warning")
    }
    assert len(json.dumps(kept_of(filled | issues))) < 25_000
