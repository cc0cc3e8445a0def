"""What happens to a code from outside: somebody at the lock, the provider, a full keypad.

Each simulation leaves the errors, warnings and status that Seam's "Access Code" resource describes
for the case, and emits the event that tells of it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal, TypeAlias

from pydantic import AwareDatetime

from deploy.sandbox.changes import announce, differences
from deploy.sandbox.codes import Code, Phase
from deploy.sandbox.door_spec import CodeFlags, Strict
from deploy.sandbox.errors import ControlError
from deploy.sandbox.lifecycle import FAILURES
from deploy.sandbox.wire import dice, instant
from deploy.sandbox.world import World

Simulation = Literal[
    "set",
    "modified_external",
    "deleted_external",
    "removed",
    "failed_to_set",
    "duplicate_code_on_device",
    "no_space",
    "delay_in_setting",
    "converted_to_unmanaged",
    "code_changed",
    "time_frame_changed",
]

_EXTERNAL = "conflicting_external_modification"
_DELAY_MESSAGE = "Seam is taking longer than usual to set the access code on the device."
_DEFAULT_SHIFT = timedelta(hours=1)
_PINS = 1_000_000
_dice = dice()


class CodePatch(Strict):
    """Body of ``PATCH /sandbox/access_codes/{id}``."""

    simulate: Simulation | None = None
    code: str | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    message: str | None = None
    code_flags: CodeFlags | None = None


def apply(world: World, code: Code, patch: CodePatch) -> Code:
    """Let it happen; return the code as it then is.

    Raises:
        ControlError: the code is already gone.

    """
    if code.phase is Phase.GONE:
        raise ControlError(f"access code {code.access_code_id} was removed already")
    if patch.code_flags is not None:
        metadata = {**code.metadata, **patch.code_flags.model_dump()}
        code = world.lifecycle.keep(replace(code, metadata=metadata))
    return code if patch.simulate is None else _SIMULATIONS[patch.simulate](world, code, patch)


def _set(world: World, code: Code, _: CodePatch) -> Code:
    return world.lifecycle.settle(code)


def _removed(world: World, code: Code, _: CodePatch) -> Code:
    return world.lifecycle.remove(code)


def _modified_external(world: World, code: Code, patch: CodePatch) -> Code:
    changed = world.lifecycle.with_error(
        code,
        _EXTERNAL,
        FAILURES[_EXTERNAL],
        change_type="modified",
        modified_fields=[{"field": "code", "from": code.shown_pin, "to": patch.code}],
    )
    world.lifecycle.keep(changed)
    world.events.emit_for(changed, "modified_external_to_seam")
    return changed


def _deleted_external(world: World, code: Code, _: CodePatch) -> Code:
    changed = world.lifecycle.with_error(code, _EXTERNAL, FAILURES[_EXTERNAL], change_type="removed")
    changed = replace(changed, phase=Phase.FAILED, due_at=code.ends_at, mutations=())
    world.lifecycle.keep(changed)
    world.events.emit_for(changed, "deleted_external_to_seam")
    return changed


def _failing(error_code: str) -> Callable[[World, Code, CodePatch], Code]:
    def fail(world: World, code: Code, patch: CodePatch) -> Code:
        return world.lifecycle.fail(code, error_code, patch.message)

    return fail


def _delay_in_setting(world: World, code: Code, patch: CodePatch) -> Code:
    """Stay as it is until another simulation (``set``), or until the code's end."""
    warning = {
        "warning_code": "delay_in_setting_on_device",
        "message": patch.message or _DELAY_MESSAGE,
        "created_at": instant(world.clock()),
    }
    delayed = replace(code, warnings=(*code.warnings, warning))
    if code.phase in {Phase.UNSET, Phase.SETTING}:
        delayed = replace(delayed, phase=Phase.SETTING, due_at=code.ends_at)
    world.lifecycle.keep(delayed)
    world.events.emit_issue(delayed, "delay_in_setting_on_device")
    return delayed


def _converted_to_unmanaged(world: World, code: Code, _: CodePatch) -> Code:
    changed = world.lifecycle.keep(replace(code, is_managed=False))
    world.events.emit_for(changed, "unmanaged.created")
    return changed


def _code_changed(world: World, code: Code, patch: CodePatch) -> Code:
    pin = patch.code or f"{_dice.randrange(_PINS):06}"
    return _change(world, code, replace(code, pin=pin, is_pin_shown=True, former_pins=(*code.former_pins, code.pin)))


def _time_frame_changed(world: World, code: Code, patch: CodePatch) -> Code:
    starts_at = patch.starts_at or code.starts_at
    ends_at = patch.ends_at
    if ends_at is None:
        ends_at = code.ends_at if patch.starts_at else code.ends_at - _DEFAULT_SHIFT
    changed = replace(code, starts_at=starts_at, ends_at=ends_at)
    if code.phase in {Phase.SET, Phase.FAILED}:
        changed = replace(changed, due_at=ends_at)
    return _change(world, code, changed)


def _change(world: World, before: Code, after: Code) -> Code:
    world.lifecycle.keep(after)
    announce(world.events, after, differences(before, after, world.clock()))
    return after


_Simulate: TypeAlias = Callable[[World, Code, CodePatch], Code]
_SIMULATIONS: dict[Simulation, _Simulate] = {
    "set": _set,
    "modified_external": _modified_external,
    "deleted_external": _deleted_external,
    "removed": _removed,
    "failed_to_set": _failing("failed_to_set_on_device"),
    "duplicate_code_on_device": _failing("duplicate_code_on_device"),
    "no_space": _failing("no_space_for_access_code_on_device"),
    "delay_in_setting": _delay_in_setting,
    "converted_to_unmanaged": _converted_to_unmanaged,
    "code_changed": _code_changed,
    "time_frame_changed": _time_frame_changed,
}
