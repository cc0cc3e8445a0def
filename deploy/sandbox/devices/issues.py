"""Errors and warnings of devices and connected accounts, and how each resource shows them.

Shapes and codes are those of Seam's "Device", "Connected Account" and "Access Code" resources. A device shows its own
errors and those of its account; an access code shows its own, its device's and its account's. Warnings aren't
inherited.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deploy.sandbox.encoding import JsonObject, format_timestamp


class IssueKind(StrEnum):
    """Whether an issue is in the list of errors or in that of warnings."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Issue:
    """An error or a warning; `extra` holds the fields that only its own code has."""

    code: str
    kind: IssueKind
    message: str
    created_at: datetime
    extra: JsonObject = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether it is an error."""
        return self.kind is IssueKind.ERROR


DEVICE_ERRORS = {
    "device_disconnected": "The device is disconnected.",
    "device_offline": "The device is offline.",
    "device_removed": "The device was removed from the connected account.",
    "hub_disconnected": "The hub of the device is disconnected.",
    "insufficient_permissions": "The integration user lacks permissions on the provider's system.",
    "missing_device_credentials": "The credentials of the device are missing.",
}
DEVICE_WARNINGS = {
    "device_communication_degraded": "The device appears to be unresponsive.",
    "device_has_flaky_connection": "The device has a flaky connection.",
    "max_access_codes_reached": "The device has reached its maximum number of active access codes.",
    "privacy_mode": "The lock is in privacy mode.",
    "provider_issue": "The provider reports an issue with the device.",
    "scheduled_maintenance_window": "A maintenance window is scheduled.",
    "third_party_integration_detected": "A third-party integration was detected.",
    "time_zone_mismatch": "The configured time zone does not match the UTC offset of the device.",
    "time_zone_unknown": "The time zone of the device is unknown.",
    "unreliable_online_status": "The provider does not report reliably whether the device is online.",
}
ACCOUNT_ERRORS = {
    "account_disconnected": "The connected account is disconnected.",
    "dormakaba_sites_disconnected": "One or more dormakaba sites could not be connected. Contact dormakaba support.",
}
ACCOUNT_WARNINGS = {
    "account_reauthorization_requested": "The connected account needs to be reauthorized.",
    "being_deleted": "The connected account is being deleted.",
    "dormakaba_sites_unapproved": "One or more dormakaba sites are not approved. Contact support@getseam.com.",
    "provider_service_unavailable": "The provider's service is unavailable.",
    "scheduled_maintenance_window": "A maintenance window is scheduled.",
    "setup_required": "The connected account requires additional setup.",
    "unknown_issue_with_connected_account": "An unknown issue occurred while syncing the connected account.",
}
# Device errors that the schema flags as the account's: the cause is there.
_FLAGGED_AS_ACCOUNTS = frozenset({*ACCOUNT_ERRORS, "insufficient_permissions"})


def device_issue_object(issue: Issue) -> JsonObject:
    """Return an issue as a device and its access codes show it, be it the device's or the account's."""
    if not issue.is_error:
        return {**_common(issue, "warning_code"), **issue.extra}
    is_accounts = issue.code in _FLAGGED_AS_ACCOUNTS
    flags = {"is_connected_account_error": True} if is_accounts else {}
    return {**_common(issue, "error_code"), "is_device_error": not is_accounts, **flags, **issue.extra}


def account_issue_object(issue: Issue) -> JsonObject:
    """Return an issue as its connected account shows it."""
    if not issue.is_error:
        return _common(issue, "warning_code")
    return {**_common(issue, "error_code"), "is_connected_account_error": True, "is_bridge_error": False}


def event_issue_object(issue: Issue) -> JsonObject:
    """Return an issue as events show it."""
    return _common(issue, "error_code" if issue.is_error else "warning_code")


def _common(issue: Issue, code_field: str) -> JsonObject:
    return {code_field: issue.code, "message": issue.message, "created_at": format_timestamp(issue.created_at)}
