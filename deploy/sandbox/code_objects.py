"""What Seam serves of a code: the access code, its action attempt, its pending mutations.

Fields follow Seam's "Access Code" resource.
"""

from datetime import datetime

from deploy.sandbox.codes import Code, Phase
from deploy.sandbox.door_spec import WORKSPACE_ID
from deploy.sandbox.wire import JsonObject, instant

_STATUS = {Phase.UPDATING: "set", Phase.FAILED: "unset"}
_DISPLAY = {
    Phase.UNSET: "Scheduled",
    Phase.SETTING: "Issuing",
    Phase.FAILED: "Issue",
    Phase.REMOVING: "Removing",
}
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


def code_object(code: Code) -> JsonObject:
    """Return the access code as Seam serves it."""
    return {
        "access_code_id": code.access_code_id,
        "workspace_id": WORKSPACE_ID,
        "device_id": code.device_id,
        "name": code.name,
        "type": "time_bound",
        "code": code.shown_pin,
        "status": _STATUS.get(code.phase, code.phase.value),
        "display_status": _DISPLAY.get(code.phase, "Active"),
        "starts_at": instant(code.starts_at),
        "ends_at": instant(code.ends_at),
        "created_at": instant(code.created_at),
        "common_code_key": None,
        "errors": list(code.errors),
        "warnings": list(code.warnings),
        "pending_mutations": list(code.mutations),
        "is_managed": code.is_managed,
        "is_backup": False,
        "is_backup_access_code_available": False,
        "is_external_modification_allowed": False,
        "is_one_time_use": False,
        "is_offline_access_code": True,
        "is_scheduled_on_device": False,
        "is_waiting_for_code_assignment": not code.is_pin_shown,
        "dormakaba_oracode_metadata": code.metadata,
    }


def unmanaged_code_object(code: Code) -> JsonObject:
    """Return a code that Seam doesn't manage; the resource "Unmanaged Access Code" has fewer fields."""
    served = code_object(code)
    kept = {name: served[name] for name in _UNMANAGED_FIELDS}
    is_on_the_lock = code.phase in {Phase.SET, Phase.UPDATING, Phase.REMOVING}
    return {
        **kept,
        "is_managed": False,
        "status": "set" if is_on_the_lock else "unset",
        "cannot_delete_unmanaged_access_code": True,
    }


def attempt_object(code: Code) -> JsonObject:
    """Return the action attempt of a code's creation."""
    attempt: JsonObject = {
        "action_attempt_id": code.action_attempt_id,
        "action_type": "CREATE_ACCESS_CODE",
        "status": "success",
        "result": None,
        "error": None,
    }
    if code.phase is Phase.FAILED and code.errors:
        error = code.errors[-1]
        attempt["status"] = "error"
        attempt["error"] = {"type": error["error_code"], "message": error["message"]}
    elif code.phase in {Phase.UNSET, Phase.SETTING}:
        attempt["status"] = "pending"
    else:
        attempt["result"] = {"access_code": code_object(code)}
    return attempt


def mutation(mutation_code: str, made_at: datetime, message: str, **extra: object) -> JsonObject:
    """Return an entry of ``pending_mutations``."""
    stamp = instant(made_at)
    return {"created_at": stamp, "message": message, "mutation_code": mutation_code, **extra}
