"""``/access_codes/get``, ``/access_codes/list`` and ``/action_attempts/get``."""

from datetime import datetime
from http import HTTPStatus

from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.params import Params
from deploy.sandbox.code_objects import attempt_object, code_object, unmanaged_code_object
from deploy.sandbox.codes import Code, Phase
from deploy.sandbox.errors import ApiError, not_found
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World

DEFAULT_LIMIT = 55_000
_UNSUPPORTED_SELECTORS = (
    "access_grant_id",
    "access_grant_key",
    "access_method_id",
    "customer_key",
    "user_identifier_key",
)


def get(world: World, params: Params) -> JsonObject:
    """Return one code, by ``access_code_id``, or by ``device_id`` and ``code``."""
    return {"access_code": code_object(one_code(world, params))}


def get_unmanaged(world: World, params: Params) -> JsonObject:
    """Return one code that was converted to unmanaged, by ``access_code_id``."""
    access_code_id = params.required("access_code_id")
    params.check()
    code = world.codes.find(access_code_id)
    if code is None or code.is_managed or code.phase is Phase.GONE:
        raise not_found("unmanaged_access_code", access_code_id)
    return {"access_code": unmanaged_code_object(code)}


def list_unmanaged(world: World, params: Params) -> JsonObject:
    """Return a page of a door's codes that were converted to unmanaged."""
    device_id = params.required("device_id")
    codes = [
        code
        for code in world.codes.of_door(world.doors.get(device_id).device_id)
        if not code.is_managed and code.phase is not Phase.GONE
    ]
    page, pagination = one_page(
        codes, params, lambda code: code.seq, path="/access_codes/unmanaged/list", default_limit=DEFAULT_LIMIT
    )
    return {"access_codes": [unmanaged_code_object(code) for code in page], "pagination": pagination}


def one_code(world: World, params: Params) -> Code:
    """Return the code that the parameters name.

    Raises:
        ApiError: 404, also for a code that was removed or isn't managed.

    """
    access_code_id = params.string("access_code_id")
    device_id, pin = params.string("device_id"), params.string("code")
    if access_code_id is None and (device_id is None or pin is None):
        params.complain("access_code_id", "Required, or device_id and code")
    params.check()
    if access_code_id is not None:
        code = world.codes.find(access_code_id)
    else:
        of_door = world.codes.of_door(device_id or "")
        code = next((found for found in of_door if found.shown_pin == pin), None)
    if code is None or not code.is_served or device_id not in {None, code.device_id}:
        raise not_found("access_code", access_code_id or "with this PIN")
    return code


def list_codes(world: World, params: Params, *, created_until: datetime | None = None) -> JsonObject:
    """Return a page of codes.

    Those made after `created_until` are left out, as by a replica that lags.
    """
    codes = [code for code in _selected(world, params) if code.is_served]
    if created_until is not None:
        codes = [code for code in codes if code.created_at <= created_until]
    page, pagination = one_page(
        codes,
        params,
        lambda code: code.seq,
        path="/access_codes/list",
        default_limit=DEFAULT_LIMIT,
    )
    return {"access_codes": [code_object(code) for code in page], "pagination": pagination}


def get_attempt(world: World, params: Params) -> JsonObject:
    """Return the action attempt of a creation."""
    action_attempt_id = params.required("action_attempt_id")
    code = world.codes.by_attempt(action_attempt_id)
    if code is None:
        raise not_found("action_attempt", action_attempt_id)
    return {"action_attempt": attempt_object(code)}


def _selected(world: World, params: Params) -> list[Code]:
    device_id = params.string("device_id")
    access_code_ids = params.strings("access_code_ids")
    search = params.string("search")
    foreign = [params.string(name) for name in _UNSUPPORTED_SELECTORS]
    params.check()
    if device_id is None and access_code_ids is None and search is None:
        if any(foreign):
            return []
        message = "At least one of device_id, access_code_ids or search is required"
        raise ApiError(HTTPStatus.BAD_REQUEST, "invalid_input", message, problems={})
    if access_code_ids is not None:
        found = (world.codes.find(access_code_id) for access_code_id in set(access_code_ids))
        codes = sorted((code for code in found if code is not None), key=lambda code: code.seq)
        if device_id is not None:
            codes = [code for code in codes if code.device_id == device_id]
    elif device_id is not None:
        codes = world.codes.of_door(world.doors.get(device_id).device_id)
    else:
        codes = world.codes.everything()
    return codes if search is None else [code for code in codes if _matches(code, search.lower())]


def _matches(code: Code, search: str) -> bool:
    """Seam's API reference: a partial match of name, code or access_code_id."""
    texts = (code.name, code.shown_pin, code.access_code_id)
    return any(text is not None and search in text.lower() for text in texts)
