"""``/access_codes/update`` and ``/access_codes/delete`` for Oracode codes.

Seam's guide: such codes can be neither updated nor deleted. Its newer schema puts capability flags
on each code (``dormakaba_oracode_metadata.is_extendable`` and so on); where one is true, that
change goes through. An overridable code takes every change of name and window. The PIN can never be
chosen.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from deploy.sandbox.api.access_codes import one_code
from deploy.sandbox.api.create import ROUNDINGS, spend
from deploy.sandbox.api.params import Params
from deploy.sandbox.changes import announce, differences, request
from deploy.sandbox.codes import Code, Phase
from deploy.sandbox.errors import refused
from deploy.sandbox.rounding import Refusal, take_slot
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World


@dataclass(frozen=True, slots=True)
class _Change:
    name: str | None
    starts_at: datetime
    ends_at: datetime

    def moves(self, code: Code) -> bool:
        return (self.starts_at, self.ends_at) != (code.starts_at, code.ends_at)


def update(world: World, params: Params) -> JsonObject:
    """Change a code's name or window, if its flags allow it.

    Raises:
        ApiError: 404, 429, 400.

    """
    code = _target(world, params)
    spend(world, "access_codes.update", world.doors.get(code.device_id))
    if "code" in params.values:
        raise refused("The code of a dormakaba Oracode access code cannot be changed")
    change = _read(world, params, code)
    if not _is_allowed(code, change):
        raise refused("dormakaba Oracode access codes cannot be updated")
    now = world.clock()
    changed = replace(code, name=change.name, starts_at=change.starts_at, ends_at=change.ends_at)
    mutations = differences(code, changed, now)
    if mutations:
        request(world.events, changed, mutations)
        if code.phase is Phase.SET:
            due_at = now + world.lifecycle.step
            pending = replace(changed, phase=Phase.UPDATING, mutations=mutations, due_at=due_at)
            world.lifecycle.keep(pending)
        else:
            if code.phase is Phase.FAILED:
                changed = replace(changed, due_at=changed.ends_at)
            world.lifecycle.keep(changed)
            announce(world.events, changed, mutations)
    return {"action_attempt": _attempt("UPDATE_ACCESS_CODE")}


def delete(world: World, params: Params) -> JsonObject:
    """Cancel a code, if its flags allow it.

    Raises:
        ApiError: 404, 429, 400.

    """
    code = _target(world, params)
    spend(world, "access_codes.delete", world.doors.get(code.device_id))
    if not code.allows("is_cancellable"):
        raise refused("dormakaba Oracode access codes cannot be deleted")
    if code.phase is not Phase.REMOVING:
        removing = world.lifecycle.begin_removal(code)
        request(world.events, removing, removing.mutations)
    return {"action_attempt": _attempt("DELETE_ACCESS_CODE")}


def _target(world: World, params: Params) -> Code:
    params.required("access_code_id")
    return one_code(world, Params({**params.values, "code": None}))


def _read(world: World, params: Params, code: Code) -> _Change:
    starts_at, ends_at = params.instant("starts_at"), params.instant("ends_at")
    name = params.string("name")
    rounding = params.string("max_time_rounding") or "1hour"
    if rounding not in ROUNDINGS:
        params.complain("max_time_rounding", f"Expected one of {', '.join(ROUNDINGS)}")
    params.check()
    wanted = _Change(name or code.name, starts_at or code.starts_at, ends_at or code.ends_at)
    if wanted.ends_at <= max(wanted.starts_at, world.clock()):
        raise refused("ends_at must be after starts_at and in the future")
    if not wanted.moves(code):
        return wanted
    slots = world.doors.get(code.device_id).slots
    taken = take_slot(slots, wanted.starts_at, wanted.ends_at, daily=ROUNDINGS[rounding])
    if isinstance(taken, Refusal):
        raise refused(taken.value)
    return replace(wanted, starts_at=taken.starts_at, ends_at=taken.ends_at)


def _is_allowed(code: Code, change: _Change) -> bool:
    if code.allows("is_overridable"):
        return True
    if change.name != code.name or change.starts_at > code.starts_at or change.ends_at < code.ends_at:
        return False
    is_start_fine = change.starts_at == code.starts_at or code.allows("is_early_checkin_able")
    is_end_fine = change.ends_at == code.ends_at or code.allows("is_extendable")
    return is_start_fine and is_end_fine


def _attempt(action_type: str) -> JsonObject:
    return {
        "action_attempt_id": str(uuid4()),
        "action_type": action_type,
        "status": "success",
        "result": {},
        "error": None,
    }
