"""Errors and warnings of access codes: their texts and shapes (Seam's "Access Code" resource)."""

from dataclasses import replace
from datetime import datetime

from deploy.sandbox.codes.codes import Code
from deploy.sandbox.encoding import format_timestamp

MESSAGES = {
    "access_code_inactive": "The access code is disabled on the device and will not grant access.",
    "conflicting_external_modification": "The access code was changed outside of Seam. Seam will set it again.",
    "delay_in_issuing": "The access code is not issued yet, though its start time is approaching.",
    "delay_in_setting_on_device": "Seam is taking longer than usual to set the access code on the device.",
    "duplicate_code_on_device": "Another access code on the device has the same code.",
    "external_modification_in_effect": "The access code was changed outside of Seam, and this change is honored.",
    "failed_to_delete": "The access code is still active on the device, though it has ended.",
    "failed_to_issue": "The access code could not be issued before its start time. Seam keeps trying.",
    "failed_to_remove_from_device": "Failed to remove the access code from the device. Seam keeps trying.",
    "failed_to_set_on_device": "Failed to set the access code on the device. Seam keeps trying.",
    "failed_to_update": "The update could not be applied to the device. Seam keeps trying.",
    "no_space_for_access_code_on_device": "No space is left for the access code on the device.",
    "being_deleted": "The access code is being deleted.",
    "provider_issue": "The provider could not issue the access code: no time slots found.",
}


def with_error(code: Code, error_code: str, at: datetime, message: str | None = None, **extra: object) -> Code:
    """Return the code with an error of its own; one of the same code is replaced."""
    error = {
        "error_code": error_code,
        "message": message or MESSAGES[error_code],
        "created_at": format_timestamp(at),
        "is_access_code_error": True,
        **extra,
    }
    others = without_errors(code, (error_code,)).errors
    return replace(code, errors=(*others, error))


def with_warning(code: Code, warning_code: str, at: datetime, message: str | None = None, **extra: object) -> Code:
    """Return the code with a warning; one of the same code is replaced."""
    warning = {
        "warning_code": warning_code,
        "message": message or MESSAGES[warning_code],
        "created_at": format_timestamp(at),
        **extra,
    }
    others = tuple(each for each in code.warnings if each["warning_code"] != warning_code)
    return replace(code, warnings=(*others, warning))


def without_errors(code: Code, error_codes: tuple[str, ...]) -> Code:
    """Return the code without some errors."""
    return replace(code, errors=tuple(error for error in code.errors if error["error_code"] not in error_codes))
