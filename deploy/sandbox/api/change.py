"""``/access_codes/update`` and ``/access_codes/delete`` for Oracode codes.

Seam's guide: such codes can be neither updated nor deleted. Its newer schema puts capability flags on each code
(``dormakaba_oracode_metadata.is_extendable`` and so on); where one is true, that change goes through. An overridable
code takes every change of name and window, and can be deleted, as long as the door's overrides last: ``is_overridable``
is false once their maximum has been reached. The PIN can never be chosen. What only Seam keeps, such as whether it
manages the code, can always be changed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from deploy.sandbox.api.access_codes import managed_code
from deploy.sandbox.api.create import ROUNDINGS, Rounding, spend
from deploy.sandbox.api.parameters import Parameters, Pin, Timestamp
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.attempts import ActionType, attempt_object
from deploy.sandbox.codes.changes import differences, emit_changed, emit_requested
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.errors import with_warning
from deploy.sandbox.codes.rounding import Refusal, take_slot
from deploy.sandbox.devices.door import Door
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import not_found, not_revocable, refused
from deploy.sandbox.models import Uuid


class UpdateAccessCode(Parameters):
    """What to change of a code; what isn't given stays."""

    access_code_id: Uuid
    allow_external_modification: bool | None = None
    attempt_for_offline_device: bool | None = None
    code: Pin | None = None
    device_id: Uuid | None = None
    ends_at: Timestamp | None = None
    is_external_modification_allowed: bool | None = None
    is_managed: bool | None = None
    max_time_rounding: Rounding | None = None
    name: str | None = None
    starts_at: Timestamp | None = None
    type: Literal["ongoing", "time_bound"] | None = None


class DeleteAccessCode(Parameters):
    """Which code to delete."""

    access_code_id: Uuid
    device_id: Uuid | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    name: str | None
    starts_at: datetime
    ends_at: datetime

    def moves(self, code: Code) -> bool:
        return (self.starts_at, self.ends_at) != (code.starts_at, code.ends_at)


def update(sandbox: Sandbox, asked: UpdateAccessCode) -> JsonObject:
    """Change a code, as far as its flags allow it.

    Raises:
        ApiError: 404, 429, 400.

    """
    code = managed_code(sandbox, asked.access_code_id, asked.device_id)
    door = sandbox.doors.find(code.device_id)
    spend(sandbox, "access_codes.update", door)
    if asked.code is not None:
        raise refused("The code of a dormakaba Oracode access code cannot be changed")
    if asked.type == "ongoing":
        raise refused("dormakaba Oracode access codes cannot be ongoing")
    code = _change_at_the_lock(sandbox, code, door, _read(sandbox, asked, code, door))
    code = _change_at_seam(sandbox, code, asked)
    attempt = sandbox.attempts.add(ActionType.UPDATE, code, sandbox.clock())
    return {"action_attempt": attempt_object(attempt, code, sandbox.code_object(code))}


def delete(sandbox: Sandbox, asked: DeleteAccessCode) -> JsonObject:
    """Delete a code, if its flags allow it.

    Raises:
        ApiError: 404, 429, 400 ``offline_access_code_not_revocable``.

    """
    code = managed_code(sandbox, asked.access_code_id, asked.device_id)
    return {"action_attempt": delete_code(sandbox, code)}


def delete_code(sandbox: Sandbox, code: Code) -> JsonObject:
    """Start to delete a code; return the action attempt.

    Raises:
        ApiError: 429, 400 ``offline_access_code_not_revocable``.

    """
    door = sandbox.doors.find(code.device_id)
    spend(sandbox, "access_codes.delete", door)
    if code.phase is not Phase.REMOVING:
        if not code.allows("is_cancellable"):
            if not code.allows("is_overridable"):
                raise not_revocable("dormakaba Oracode access codes cannot be deleted")
            if door is not None and not door.has_overrides_left:
                raise not_revocable("The access code cannot be revoked: the override budget is exhausted")
            _spend_override(sandbox, door)
        code = with_warning(code, "being_deleted", sandbox.clock())
        code = sandbox.lifecycle.start_removal(code)
        emit_requested(sandbox.code_events, code, code.mutations)
    attempt = sandbox.attempts.add(ActionType.DELETE, code, sandbox.clock())
    return attempt_object(attempt, code, sandbox.code_object(code))


def _change_at_the_lock(sandbox: Sandbox, code: Code, door: Door | None, change: _Change) -> Code:
    if not _is_allowed(code, change):
        if not code.allows("is_overridable"):
            raise refused("dormakaba Oracode access codes cannot be updated")
        if door is not None and not door.has_overrides_left:
            raise refused("The access code cannot be updated: the override budget is exhausted")
        _spend_override(sandbox, door)
    now = sandbox.clock()
    changed = replace(code, name=change.name, starts_at=change.starts_at, ends_at=change.ends_at)
    mutations = differences(code, changed, now)
    if not mutations:
        return code
    emit_requested(sandbox.code_events, changed, mutations)
    if code.phase in {Phase.SET, Phase.UPDATING}:
        due_at = now + sandbox.lifecycle.step
        pending = (*code.mutations, *mutations)
        return sandbox.lifecycle.save(replace(changed, phase=Phase.UPDATING, mutations=pending, due_at=due_at))
    if code.phase is Phase.FAILED:
        changed = replace(changed, due_at=changed.ends_at)
    sandbox.lifecycle.save(changed)
    emit_changed(sandbox.code_events, changed, mutations)
    return changed


def _change_at_seam(sandbox: Sandbox, code: Code, asked: UpdateAccessCode) -> Code:
    """Change what no lock needs to know."""
    allowed = asked.is_external_modification_allowed
    allowed = asked.allow_external_modification if allowed is None else allowed
    if allowed is not None:
        code = sandbox.lifecycle.save(replace(code, is_external_modification_allowed=allowed))
    if asked.is_managed is False:
        code = sandbox.lifecycle.save(replace(code, is_managed=False))
        sandbox.code_events.emit(code, "unmanaged.created")
    return code


def _read(sandbox: Sandbox, asked: UpdateAccessCode, code: Code, door: Door | None) -> _Change:
    wanted = _Change(
        code.name if asked.name is None else asked.name,
        asked.starts_at or code.starts_at,
        asked.ends_at or code.ends_at,
    )
    if wanted.ends_at <= max(wanted.starts_at, sandbox.clock()):
        raise refused("ends_at must be after starts_at and in the future")
    if not wanted.moves(code):
        return wanted
    if door is None:
        raise not_found("device", code.device_id)
    daily = ROUNDINGS[asked.max_time_rounding or "1hour"]
    taken = take_slot(door.slots, wanted.starts_at, wanted.ends_at, daily=daily)
    if isinstance(taken, Refusal):
        raise refused(taken.value)
    return replace(wanted, starts_at=taken.starts_at, ends_at=taken.ends_at)


def _is_allowed(code: Code, change: _Change) -> bool:
    """Whether the flags allow a change without an override."""
    if change.name != code.name or change.starts_at > code.starts_at or change.ends_at < code.ends_at:
        return False
    is_start_fine = change.starts_at == code.starts_at or code.allows("is_early_checkin_able")
    is_end_fine = change.ends_at == code.ends_at or code.allows("is_extendable")
    return is_start_fine and is_end_fine


def _spend_override(sandbox: Sandbox, door: Door | None) -> None:
    if door is not None:
        sandbox.doors.put(replace(door, overrides=door.overrides + 1))
