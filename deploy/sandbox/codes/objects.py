"""What Seam serves of a code: the access code, the unmanaged access code, pending mutations.

Fields follow Seam's "Access Code" and "Unmanaged Access Code" resources.
"""

from datetime import datetime

from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.unmanaged import FoundCode
from deploy.sandbox.devices.context import DeviceContext
from deploy.sandbox.devices.issues import device_issue_object
from deploy.sandbox.encoding import JsonObject, format_timestamp
from deploy.sandbox.ids import WORKSPACE_ID

_STATUS = {Phase.UPDATING: "set", Phase.FAILED: "unset"}
_DISPLAY = {
    Phase.UNSET: "Scheduled",
    Phase.SETTING: "Issuing",
    Phase.FAILED: "Issue",
    Phase.REMOVING: "Removing",
}
_ON_THE_LOCK = frozenset({Phase.SET, Phase.UPDATING, Phase.REMOVING})
# What "Unmanaged Access Code" has of the fields of "Access Code".
_UNMANAGED_FIELDS = (
    "access_code_id",
    "workspace_id",
    "device_id",
    "name",
    "type",
    "code",
    "display_status",
    "starts_at",
    "ends_at",
    "created_at",
    "errors",
    "warnings",
    "dormakaba_oracode_metadata",
)


def code_object(code: Code, context: DeviceContext) -> JsonObject:
    """Return the access code as Seam serves it."""
    status = "unknown" if context.is_account_disconnected else _STATUS.get(code.phase, code.phase.value)
    return {
        "access_code_id": code.access_code_id,
        "workspace_id": WORKSPACE_ID,
        "device_id": code.device_id,
        "name": code.name,
        "type": "time_bound",
        "code": code.shown_pin,
        "status": status,
        "display_status": "Unknown" if context.is_account_disconnected else _DISPLAY.get(code.phase, "Active"),
        "starts_at": format_timestamp(code.starts_at),
        "ends_at": format_timestamp(code.ends_at),
        "created_at": format_timestamp(code.created_at),
        "common_code_key": None,
        "errors": [*code.errors, *map(device_issue_object, context.errors)],
        "warnings": list(code.warnings),
        "pending_mutations": list(code.mutations),
        "is_managed": code.is_managed,
        "is_backup": False,
        "is_backup_access_code_available": False,
        "is_external_modification_allowed": code.is_external_modification_allowed,
        "is_one_time_use": False,
        "is_offline_access_code": True,
        "is_scheduled_on_device": False,
        "is_waiting_for_code_assignment": not code.is_pin_shown,
        "dormakaba_oracode_metadata": {
            **code.metadata,
            "is_overridable": code.allows("is_overridable") and context.has_overrides_left,
        },
    }


def unmanaged_code_object(code: Code, context: DeviceContext) -> JsonObject:
    """Return a code that was converted to unmanaged."""
    served = code_object(code, context)
    kept = {name: served[name] for name in _UNMANAGED_FIELDS}
    is_stuck = {} if code.allows("is_cancellable") else {"cannot_delete_unmanaged_access_code": True}
    return {**kept, "is_managed": False, "status": "set" if code.phase in _ON_THE_LOCK else "unset", **is_stuck}


def found_code_object(code: FoundCode, context: DeviceContext) -> JsonObject:
    """Return a code that Seam found on the lock: it belongs to no stay, so it can't be managed or deleted."""
    return {
        "access_code_id": code.access_code_id,
        "workspace_id": WORKSPACE_ID,
        "device_id": code.device_id,
        "name": code.name,
        "type": "ongoing",
        "code": code.pin,
        "status": "set",
        "display_status": "Active",
        "starts_at": None,
        "ends_at": None,
        "created_at": format_timestamp(code.created_at),
        "errors": [device_issue_object(issue) for issue in context.errors],
        "warnings": [],
        "is_managed": False,
        "cannot_be_managed": True,
        "cannot_delete_unmanaged_access_code": True,
    }


def mutation(mutation_code: str, made_at: datetime, message: str, **extra: object) -> JsonObject:
    """Return an entry of ``pending_mutations``."""
    stamp = format_timestamp(made_at)
    return {"created_at": stamp, "message": message, "mutation_code": mutation_code, **extra}
