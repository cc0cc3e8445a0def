"""``/access_codes/create`` for Oracode doors: Seam's own checks, then the provider's.

There is no idempotency key and names need not be unique: the same call twice makes two codes.
"""

from datetime import datetime
from typing import Literal

from deploy.sandbox.api.new_code import Unmatched, new_code
from deploy.sandbox.api.parameters import Parameters, Pin, Timestamp
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.attempts import ActionType, attempt_object
from deploy.sandbox.codes.rounding import Refusal, Taken, take_slot
from deploy.sandbox.devices.door import Door
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input, refused
from deploy.sandbox.models import Uuid

OPERATION = "access_codes.create"
# max_time_rounding, with whether it means daily-bound slots (API reference).
ROUNDINGS = {"1hour": False, "1h": False, "1day": True, "1d": True}
Rounding = Literal["1hour", "1day", "1h", "1d"]


class NewAccessCode(Parameters):
    """What creating one code or many has in common; hints without effect on an Oracode door are read and not used."""

    allow_external_modification: bool | None = None
    attempt_for_offline_device: bool | None = None
    code: Pin | None = None
    ends_at: Timestamp | None = None
    is_external_modification_allowed: bool | None = None
    name: str | None = None
    prefer_native_scheduling: bool | None = None
    preferred_code_length: float | None = None
    starts_at: Timestamp | None = None
    use_backup_access_code_pool: bool | None = None

    @property
    def allows_external_modification(self) -> bool:
        """Whether changes outside of Seam are to stand."""
        return bool(self.is_external_modification_allowed or self.allow_external_modification)


class CreateAccessCode(NewAccessCode):
    """One new code."""

    device_id: Uuid
    common_code_key: str | None = None
    is_offline_access_code: bool | None = None
    is_one_time_use: bool | None = None
    max_time_rounding: Rounding | None = None
    use_offline_access_code: bool | None = None

    @property
    def is_daily(self) -> bool:
        """Whether daily-bound slots are meant."""
        return ROUNDINGS[self.max_time_rounding or "1hour"]


def create(sandbox: Sandbox, asked: CreateAccessCode) -> JsonObject:
    """Create an offline access code.

    Raises:
        ApiError: 404 unknown device, 429 per-device limit, 400 everything else.

    """
    door = sandbox.doors.get(asked.device_id)
    spend(sandbox, OPERATION, door)
    starts_at, ends_at = _window(asked, sandbox.clock())
    if not (asked.is_offline_access_code or asked.use_offline_access_code):
        raise refused("The device only supports offline access codes")
    if not door.offers_offline_codes:
        raise refused("The device does not support offline access codes")
    _refuse_unsupported(asked)
    taken = take_slot(door.slots, starts_at, ends_at, daily=asked.is_daily)
    failure: str | None = None
    if isinstance(taken, Refusal):
        if door.behaviour.no_slot_behaviour == "refuse":
            raise refused(taken.value)
        failure = "provider_issue"
    elif _is_full(sandbox, door):
        failure = "no_space_for_access_code_on_device"
    window = taken if isinstance(taken, Taken) else Unmatched(starts_at, ends_at)
    code = sandbox.lifecycle.start(
        new_code(sandbox, door, window, name=asked.name, failure=failure, stands=asked.allows_external_modification)
    )
    attempt = sandbox.attempts.add(ActionType.CREATE, code, code.created_at, code.action_attempt_id)
    served = sandbox.code_object(code)
    return {"access_code": served, "action_attempt": attempt_object(attempt, code, served)}


def spend(sandbox: Sandbox, operation: str, door: Door | None) -> None:
    """Count a call against the door's rate limit; a door that was removed has none.

    Raises:
        ApiError: 429.

    """
    if door is None or not sandbox.settings.current.rate_limits:
        return
    retry_after = door.behaviour.retry_after_on_429
    if retry_after is None:
        retry_after = sandbox.settings.current.retry_after_on_429
    sandbox.limits.spend(operation, door.device_id, retry_after)


def _window(asked: CreateAccessCode, now: datetime) -> tuple[datetime, datetime]:
    if asked.starts_at is None:
        raise invalid_input("starts_at", "Required for an offline access code")
    if asked.ends_at is None:
        raise invalid_input("ends_at", "Required for an offline access code")
    if asked.code is not None:
        raise invalid_input("code", "A custom code cannot be set for an offline access code")
    if asked.ends_at <= asked.starts_at:
        raise invalid_input("ends_at", "ends_at must be after starts_at")
    if asked.ends_at <= now:
        raise invalid_input("ends_at", "ends_at must be in the future")
    return asked.starts_at, asked.ends_at


def _refuse_unsupported(asked: CreateAccessCode) -> None:
    """Refuse what Seam's guide for Oracode locks says, or what follows from PINs that the provider chooses."""
    if asked.is_one_time_use:
        raise refused("dormakaba Oracode one-time-use access codes are not supported")
    if asked.common_code_key is not None:
        raise refused("Offline access codes cannot share a common code")
    if asked.use_backup_access_code_pool:
        raise refused("The device does not support a backup access code pool")


def _is_full(sandbox: Sandbox, door: Door) -> bool:
    limit = door.max_active_codes
    return limit is not None and sandbox.codes.count_of_door(door.device_id) >= limit
