"""``/access_codes/unmanaged`` and ``/access_codes/simulate``: codes on a lock that Seam doesn't manage.

Such a code was made by Seam once and then converted to unmanaged, or Seam found it on the lock.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

from deploy.sandbox.api.access_codes import GetAccessCode, matches
from deploy.sandbox.api.change import delete_code
from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import Page, Parameters, Pin, SearchText
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.objects import found_code_object, unmanaged_code_object
from deploy.sandbox.codes.unmanaged import FoundCode
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input, not_found, not_revocable, refused
from deploy.sandbox.models import Uuid

DEFAULT_LIMIT = 300_000


class ListUnmanaged(Page):
    """Which codes to list."""

    device_id: Uuid
    search: SearchText | None = None
    user_identifier_key: str | None = None


class OfUnmanaged(Parameters):
    """A code."""

    access_code_id: Uuid


class ConvertToManaged(OfUnmanaged):
    """How to manage a code; `force` takes it from another workspace, of which the sandbox has none."""

    allow_external_modification: bool | None = None
    force: bool | None = None
    is_external_modification_allowed: bool | None = None


class UpdateUnmanaged(ConvertToManaged):
    """Whether to manage a code."""

    is_managed: bool


class CreateUnmanaged(Parameters):
    """A code that somebody programs at the lock."""

    code: Pin
    device_id: Uuid
    name: str


@dataclass(frozen=True, slots=True)
class _Unmanaged:
    """A code of either kind, and what it is found by."""

    code: Code | FoundCode
    pin: str | None
    served: JsonObject


def get(sandbox: Sandbox, asked: GetAccessCode) -> JsonObject:
    """Return one code, by ``access_code_id``, or by ``device_id`` and ``code``."""
    if asked.access_code_id is not None:
        return {"access_code": _one(sandbox, asked.access_code_id).served}
    if asked.device_id is None or asked.code is None:
        raise invalid_input("access_code_id", "Required, or device_id and code")
    for found in _of_door(sandbox, asked.device_id):
        if found.pin == asked.code:
            return {"access_code": found.served}
    raise not_found("unmanaged_access_code", "with this PIN")


def list_unmanaged(sandbox: Sandbox, asked: ListUnmanaged) -> JsonObject:
    """Return a page of a door's codes."""
    if sandbox.doors.find(asked.device_id) is None:
        raise not_found("device", asked.device_id)
    found = _of_door(sandbox, asked.device_id) if asked.user_identifier_key is None else []
    if asked.search is not None:
        search = asked.search
        found = [each for each in found if matches(search, each.code.name, each.pin, each.code.access_code_id)]
    page, pagination = one_page(
        found, asked, lambda each: each.code.seq, path="/access_codes/unmanaged/list", default_limit=DEFAULT_LIMIT
    )
    return {"access_codes": [each.served for each in page], "pagination": pagination}


def convert_to_managed(sandbox: Sandbox, asked: ConvertToManaged) -> JsonObject:
    """Let Seam manage a code again that it made; the device must be managed too."""
    code = _one(sandbox, asked.access_code_id).code
    if isinstance(code, FoundCode):
        raise refused("The access code cannot be managed: it does not belong to a stay")
    sandbox.doors.get(code.device_id)
    allowed = asked.is_external_modification_allowed
    allowed = asked.allow_external_modification if allowed is None else allowed
    if allowed is None:
        allowed = code.is_external_modification_allowed
    managed = replace(code, is_managed=True, is_external_modification_allowed=allowed)
    sandbox.code_events.emit(sandbox.lifecycle.save(managed), "unmanaged.converted_to_managed")
    return {}


def update(sandbox: Sandbox, asked: UpdateUnmanaged) -> JsonObject:
    """Convert a code to managed, or leave it as it is."""
    if asked.is_managed:
        return convert_to_managed(sandbox, asked)
    _one(sandbox, asked.access_code_id)
    return {}


def delete(sandbox: Sandbox, asked: OfUnmanaged) -> JsonObject:
    """Delete a code that its provider lets Seam delete."""
    code = _one(sandbox, asked.access_code_id).code
    if isinstance(code, FoundCode):
        raise not_revocable("The access code cannot be deleted: it does not belong to a stay")
    return {"action_attempt": delete_code(sandbox, code)}


def simulate_create(sandbox: Sandbox, asked: CreateUnmanaged) -> JsonObject:
    """Let somebody program a code at the lock, and Seam find it there."""
    door = sandbox.doors.find(asked.device_id)
    if door is None:
        raise not_found("device", asked.device_id)
    code = sandbox.found_codes.put(
        FoundCode(
            access_code_id=str(uuid4()),
            seq=sandbox.codes.next_seq(),
            device_id=door.device_id,
            name=asked.name,
            pin=asked.code,
            created_at=sandbox.clock(),
        )
    )
    sandbox.code_events.emit(code, "unmanaged.created")
    return {"access_code": found_code_object(code, sandbox.contexts.of(code.device_id))}


def _one(sandbox: Sandbox, access_code_id: str) -> _Unmanaged:
    code = sandbox.codes.find(access_code_id) or sandbox.found_codes.find(access_code_id)
    if code is None or (isinstance(code, Code) and not _is_unmanaged(code)):
        raise not_found("unmanaged_access_code", access_code_id)
    return _shown(sandbox, code)


def _of_door(sandbox: Sandbox, device_id: str) -> list[_Unmanaged]:
    made = [code for code in sandbox.codes.of_door(device_id) if _is_unmanaged(code)]
    every: list[Code | FoundCode] = [*made, *sandbox.found_codes.of_door(device_id)]
    return [_shown(sandbox, code) for code in sorted(every, key=lambda code: code.seq)]


def _is_unmanaged(code: Code) -> bool:
    return not code.is_managed and code.phase is not Phase.GONE


def _shown(sandbox: Sandbox, code: Code | FoundCode) -> _Unmanaged:
    context = sandbox.contexts.of(code.device_id)
    if isinstance(code, FoundCode):
        return _Unmanaged(code, code.pin, found_code_object(code, context))
    return _Unmanaged(code, code.shown_pin, unmanaged_code_object(code, context))
