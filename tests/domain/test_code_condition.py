"""What Seam's report of a code means for the guest."""

from typing import Any

import pytest

from shared.domain.code_condition import (
    HARMLESS,
    SEAM_KEEPS_TRYING,
    Condition,
    Confirmed,
    InTrouble,
    StillToCome,
    condition_of,
)

# seam-facts §2.1: every error code of the newest schema, and the ones of older ones.
ERRORS = [
    "provider_issue",
    "failed_to_set_on_device",
    "failed_to_remove_from_device",
    "duplicate_code_on_device",
    "no_space_for_access_code_on_device",
    "conflicting_external_modification",
    "access_code_inactive",
    "code_constraints_violated",
    "failed_to_issue",
    "failed_to_update",
    "failed_to_delete",
    "failed_to_expire",
    "account_disconnected",
    "dormakaba_sites_disconnected",
    "insufficient_permissions",
    "salto_ks_subscription_limit_exceeded",
    "device_offline",
    "device_disconnected",
    "device_removed",
    "hub_disconnected",
    "empty_backup_access_code_pool",
    "missing_device_credentials",
    "subscription_required",
    "bridge_disconnected",
    "dormakaba_oracode_invalid_time_range",
    "code_modified_external_to_seam",
    "something_new",
]

REPORTS: list[Any] = [
    pytest.param({"status": "set"}, Confirmed(), id="set"),
    pytest.param({"status": "set", "pending": ["creating"]}, StillToCome(), id="set, and still creating"),
    pytest.param({"status": "set", "pending": ["updating_time_frame"]}, StillToCome(), id="set, its window changing"),
    pytest.param({"status": "set", "pending": ["updating_name"]}, Confirmed(), id="set, a name pending"),
    pytest.param({"status": "set", "pending": ["deleting"]}, Confirmed(), id="set, a removal pending"),
    pytest.param({"status": "unset"}, StillToCome(), id="unset"),
    pytest.param({"status": "setting", "has_pin": True}, StillToCome(), id="setting"),
    pytest.param({"status": "unknown", "has_pin": True}, StillToCome(), id="unknown"),
    pytest.param({"status": "removing"}, StillToCome(), id="removing"),
    pytest.param({"status": "brand_new", "has_pin": True}, StillToCome(), id="a status nobody knows"),
    pytest.param({"has_pin": True}, Confirmed(), id="no status, a PIN"),
    pytest.param({"has_pin": False}, StillToCome(), id="no status, no PIN"),
    pytest.param({"has_pin": True, "pending": ["creating"]}, StillToCome(), id="no status, creating"),
    pytest.param({"has_pin": True, "pending": ["deferring_creation"]}, StillToCome(), id="no status, deferred"),
    pytest.param({"status": "set", "errors": [("failed_to_delete", "x")]}, Confirmed(), id="set, harmless error"),
    pytest.param(
        {"status": "set", "errors": [("failed_to_delete", "x"), ("device_removed", "gone")]},
        InTrouble("device_removed", "gone", is_final=True),
        id="a harmless error hides no other",
    ),
    pytest.param(
        {"status": "set", "errors": [("provider_issue", "no time slots found")]},
        InTrouble("provider_issue", "no time slots found", is_final=True),
        id="set, and in trouble",
    ),
]


@pytest.mark.parametrize(("report", "condition"), REPORTS)
def test_reports(report: dict[str, Any], condition: Condition) -> None:
    """Pending mutations and errors decide; `status` counts while it is there."""
    whole: dict[str, Any] = {"status": "", "has_pin": False, "pending": [], "errors": []} | report
    assert condition_of(**whole) == condition


@pytest.mark.parametrize("error_code", ERRORS)
@pytest.mark.parametrize("status", ["set", "setting", ""], ids=["set", "setting", "no status"])
def test_every_error_is_judged(error_code: str, status: str) -> None:
    """Harmless, for now, or final; what isn't known is final trouble: somebody should read it."""
    condition = condition_of(status=status, has_pin=True, pending=[], errors=[(error_code, "why")])
    if error_code in HARMLESS:
        assert not isinstance(condition, InTrouble)
    else:
        assert condition == InTrouble(error_code, "why", is_final=error_code not in SEAM_KEEPS_TRYING)
