"""Changes that somebody makes at the lock, outside of Seam.

Seam undoes them, until the code's end: the error ``conflicting_external_modification`` stands until the code is set
again. If the code allows changes outside of Seam, they stand, with the warning ``external_modification_in_effect``.
Both are described by the docstrings of these types in Seam's SDK, and by "External Modification" of its guide.
"""

from dataclasses import replace

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.changes import differences
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.errors import with_error, with_warning
from deploy.sandbox.control.code_patch import CodePatch
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.randomness import random_source

_CONFLICT = "conflicting_external_modification"
_IN_EFFECT = "external_modification_in_effect"
_PINS = 1_000_000
_random = random_source()


def random_pin() -> str:
    """Return six random digits."""
    return f"{_random.randrange(_PINS):06}"


def modified_external(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    """Let somebody change a code's PIN or window at the lock; a random PIN, where the patch names no change."""
    modified = replace(code, starts_at=patch.starts_at or code.starts_at, ends_at=patch.ends_at or code.ends_at)
    if patch.code is not None or modified == code:
        modified = replace(modified, pin=patch.code or random_pin())
    former_pins = (*code.former_pins, code.pin, modified.pin)
    details: JsonObject = {"change_type": "modified", "modified_fields": _modified_fields(code, modified)}
    now = sandbox.clock()
    if code.is_external_modification_allowed:
        standing = replace(modified, former_pins=former_pins, due_at=modified.ends_at)
        changed = sandbox.lifecycle.save(with_warning(standing, _IN_EFFECT, now, patch.message, **details))
    else:
        undone = replace(code, former_pins=former_pins)
        conflicting = with_error(undone, _CONFLICT, now, patch.message, **details)
        changed = sandbox.lifecycle.set_again(conflicting, patch.set_again_after)
    sandbox.code_events.emit(changed, "modified_external_to_seam")
    return changed


def deleted_external(sandbox: Sandbox, code: Code, patch: CodePatch) -> Code:
    """Let somebody remove a code from the lock; at Seam the code stays."""
    now = sandbox.clock()
    if code.is_external_modification_allowed:
        standing = with_warning(code, _IN_EFFECT, now, patch.message, change_type="removed")
        standing = replace(standing, phase=Phase.FAILED, due_at=code.ends_at, mutations=())
        changed = sandbox.lifecycle.save(standing)
    else:
        conflicting = with_error(code, _CONFLICT, now, patch.message, change_type="removed")
        changed = sandbox.lifecycle.set_again(conflicting, patch.set_again_after)
    sandbox.code_events.emit(changed, "deleted_external_to_seam")
    return changed


def _modified_fields(before: Code, after: Code) -> list[JsonObject]:
    """Return the changes as the error and the warning list them: previous and new values."""
    fields: list[JsonObject] = []
    shown = (replace(before, is_pin_shown=True), replace(after, is_pin_shown=True))
    for mutation in differences(*shown, before.created_at):
        old, new = mutation["from"], mutation["to"]
        fields += [{"field": name, "from": old[name], "to": new[name]} for name in new if old[name] != new[name]]
    return fields
