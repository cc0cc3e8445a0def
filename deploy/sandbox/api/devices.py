"""``/devices`` and ``/locks``: Seam serves both from the same device objects."""

from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.params import Params
from deploy.sandbox.doors import Door
from deploy.sandbox.errors import not_found
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World

DEFAULT_LIMIT = 500
_SINGULAR = {"device_types": "device_type", "connected_account_ids": "connected_account_id"}


def get(world: World, params: Params) -> JsonObject:
    """Return one device, by ``device_id`` or ``name``."""
    return {"device": _one(world, params).device}


def get_lock(world: World, params: Params) -> JsonObject:
    """Return one lock; the endpoint is deprecated and names it twice."""
    device = _one(world, params).device
    return {"lock": device, "device": device}


def list_devices(world: World, params: Params) -> JsonObject:
    """Return a page of devices."""
    page, pagination = one_page(
        _selected(world, params),
        params,
        lambda door: door.seq,
        path="/devices/list",
        default_limit=DEFAULT_LIMIT,
    )
    return {"devices": [door.device for door in page], "pagination": pagination}


def list_locks(world: World, params: Params) -> JsonObject:
    """Return all locks; Seam doesn't paginate these."""
    locks = [door.device for door in _selected(world, params)]
    return {"locks": locks, "devices": locks}


def _one(world: World, params: Params) -> Door:
    device_id, name = params.string("device_id"), params.string("name")
    if device_id is None and name is None:
        params.complain("device_id", "Required, or name")
    params.check()
    if device_id is not None:
        return world.doors.get(device_id)
    for door in world.doors:
        if door.name == name:
            return door
    raise not_found("device", name or "")


def _selected(world: World, params: Params) -> list[Door]:
    wanted = {
        "device_id": params.strings("device_ids"),
        **{single: params.strings(plural) for plural, single in _SINGULAR.items()},
    }
    for single in _SINGULAR.values():
        one = params.string(single)
        if one is not None:
            wanted[single] = [one]
    search = (params.string("search") or "").lower()
    params.check()
    doors = sorted(world.doors, key=lambda door: door.seq)
    for name, values in wanted.items():
        if values is not None:
            doors = [door for door in doors if door.device.get(name) in values]
    return [door for door in doors if search in door.name.lower()] if search else doors
