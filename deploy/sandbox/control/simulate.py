"""What happens to a code from outside: somebody at the lock, the provider, a full keypad.

Each simulation leaves the errors, warnings and status that Seam's "Access Code" resource describes for the case, and
emits the event that tells of it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.changes import differences, emit_changed
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.errors import with_error, with_warning
from deploy.sandbox.control.code_patch import CodePatch, Simulation
from deploy.sandbox.control.external import deleted_external, modified_external, random_pin
from deploy.sandbox.errors import ControlError

_DEFAULT_SHIFT = timedelta(hours=1)


def apply(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    """Let it happen; return the code as it then is.

    Raises:
        ControlError: the code is already gone.

    """
    if code.phase is Phase.GONE:
        raise ControlError(f"access code {code.access_code_id} was removed already")
    if patch.code_flags is not None:
        metadata = {**code.metadata, **patch.code_flags.model_dump()}
        code = sandbox.lifecycle.save(replace(code, metadata=metadata))
    if patch.is_external_modification_allowed is not None:
        allowed = patch.is_external_modification_allowed
        code = sandbox.lifecycle.save(replace(code, is_external_modification_allowed=allowed))
    return code if patch.simulate is None else _SIMULATIONS[patch.simulate](sandbox, code, patch)


def _set(sandbox: Sandbox, code: Code, _: CodePatch) -> Code:
    return sandbox.lifecycle.mark_set(code)


def _removed(sandbox: Sandbox, code: Code, _: CodePatch) -> Code:
    return sandbox.lifecycle.remove(code)


def _failing(error_code: str) -> Callable[[Sandbox, Code, CodePatch], Code]:
    def fail(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
        return sandbox.lifecycle.mark_failed(code, error_code, patch.message)

    return fail


def _failed_to_issue(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    """Let Seam go on trying: the error is cleared once the code is issued."""
    failing = with_error(code, "failed_to_issue", sandbox.clock(), patch.message)
    changed = sandbox.lifecycle.set_again(failing, patch.set_again_after)
    sandbox.code_events.emit_with_issues(changed, "failed_to_issue")
    return changed


def _access_code_inactive(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    """Let somebody disable the code on the device; no event tells of it."""
    return sandbox.lifecycle.save(with_error(code, "access_code_inactive", sandbox.clock(), patch.message))


def _delayed(warning_code: str) -> Callable[[Sandbox, Code, CodePatch], Code]:
    def delay(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
        """Let a code stay as it is until another simulation (``set``), or until its end."""
        delayed = with_warning(code, warning_code, sandbox.clock(), patch.message)
        if code.phase in {Phase.UNSET, Phase.SETTING}:
            delayed = replace(delayed, phase=Phase.SETTING, due_at=code.ends_at)
        sandbox.lifecycle.save(delayed)
        sandbox.code_events.emit_with_issues(delayed, warning_code)
        return delayed

    return delay


def _converted_to_unmanaged(sandbox: Sandbox, code: Code, _: CodePatch) -> Code:
    changed = sandbox.lifecycle.save(replace(code, is_managed=False))
    sandbox.code_events.emit(changed, "unmanaged.created")
    return changed


def _code_changed(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    pin = patch.code or random_pin()
    former_pins = (*code.former_pins, code.pin)
    return _change(sandbox, code, replace(code, pin=pin, is_pin_shown=True, former_pins=former_pins))


def _time_frame_changed(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    starts_at = patch.starts_at or code.starts_at
    ends_at = patch.ends_at
    if ends_at is None:
        ends_at = code.ends_at if patch.starts_at else code.ends_at - _DEFAULT_SHIFT
    changed = replace(code, starts_at=starts_at, ends_at=ends_at)
    if code.phase in {Phase.SET, Phase.FAILED}:
        changed = replace(changed, due_at=ends_at)
    return _change(sandbox, code, changed)


def _change(sandbox: Sandbox, before: Code, after: Code) -> Code:
    sandbox.lifecycle.save(after)
    emit_changed(sandbox.code_events, after, differences(before, after, sandbox.clock()))
    return after


_Simulate: TypeAlias = Callable[[Sandbox, Code, CodePatch], Code]
_SIMULATIONS: dict[Simulation, _Simulate] = {
    "set": _set,
    "modified_external": modified_external,
    "deleted_external": deleted_external,
    "removed": _removed,
    "failed_to_set": _failing("failed_to_set_on_device"),
    "failed_to_issue": _failed_to_issue,
    "provider_issue": _failing("provider_issue"),
    "access_code_inactive": _access_code_inactive,
    "duplicate_code_on_device": _failing("duplicate_code_on_device"),
    "no_space": _failing("no_space_for_access_code_on_device"),
    "delay_in_setting": _delayed("delay_in_setting_on_device"),
    "delay_in_issuing": _delayed("delay_in_issuing"),
    "converted_to_unmanaged": _converted_to_unmanaged,
    "code_changed": _code_changed,
    "time_frame_changed": _time_frame_changed,
}
