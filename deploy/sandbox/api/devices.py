"""``/devices`` and ``/locks``: Seam serves both from the same device objects."""

from dataclasses import replace
from typing import Annotated

from deploy.sandbox.api.device_filters import DeviceFilters, LockFilters, selected
from deploy.sandbox.api.metadata import merged_metadata
from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import Metadata, Parameters, one_of
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.objects import device_object
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input, not_found, refused
from deploy.sandbox.models import Uuid
from deploy.sandbox.vocabulary import PROVIDER_CATEGORIES

DEFAULT_LIMIT = 500
_CATEGORIES = ["stable"]
_PROVIDER = {
    "device_provider_name": "dormakaba_oracode",
    "display_name": "dormakaba Oracode",
    "image_url": "https://connect.getseam.com/assets/images/providers/dormakaba_oracode.png",
    "provider_categories": _CATEGORIES,
    "can_program_offline_access_codes": True,
}


class GetDevice(Parameters):
    """A device, by its id or its name."""

    device_id: Uuid | None = None
    name: str | None = None


class UpdateDevice(Parameters):
    """What to change of a device; a `name` of null takes the nickname away."""

    device_id: Uuid
    backup_access_code_pool_enabled: bool | None = None
    custom_metadata: Metadata | None = None
    is_managed: bool | None = None
    name: str | None = None
    properties: JsonObject | None = None


class ListProviders(Parameters):
    """Which providers to list."""

    provider_category: Annotated[str, one_of(PROVIDER_CATEGORIES)] | None = None


def get(sandbox: Sandbox, asked: GetDevice) -> JsonObject:
    """Return one device, by ``device_id`` or ``name``."""
    return {"device": _shown(sandbox, one_door(sandbox, asked, is_managed=True))}


def get_lock(sandbox: Sandbox, asked: GetDevice) -> JsonObject:
    """Return one lock; the endpoint is deprecated and names it twice."""
    device = _shown(sandbox, one_door(sandbox, asked, is_managed=True))
    return {"lock": device, "device": device}


def list_devices(sandbox: Sandbox, asked: DeviceFilters) -> JsonObject:
    """Return a page of devices."""
    doors = selected(sandbox, asked, is_managed=True)
    page, pagination = one_page(doors, asked, lambda door: door.seq, path="/devices/list", default_limit=DEFAULT_LIMIT)
    return {"devices": [_shown(sandbox, door) for door in page], "pagination": pagination}


def list_locks(sandbox: Sandbox, asked: LockFilters) -> JsonObject:
    """Return all locks; Seam doesn't paginate these."""
    locks = [_shown(sandbox, door) for door in selected(sandbox, asked, is_managed=True)]
    return {"locks": locks, "devices": locks}


def list_providers(sandbox: Sandbox, asked: ListProviders) -> JsonObject:
    """Return the one provider that the sandbox has devices of."""
    del sandbox
    is_listed = asked.provider_category is None or asked.provider_category in _CATEGORIES
    return {"device_providers": [_PROVIDER] if is_listed else []}


def update(sandbox: Sandbox, asked: UpdateDevice) -> JsonObject:
    """Change a device's name or metadata, or let Seam no longer manage it and its codes."""
    door = sandbox.doors.get(asked.device_id)
    if asked.backup_access_code_pool_enabled:
        raise refused("The device does not support a backup access code pool")
    if asked.custom_metadata is not None:
        door = sandbox.doors.put(replace(door, metadata=merged_metadata(door.custom_metadata, asked.custom_metadata)))
    name = _given_name(asked)
    if name is not None and name != door.name:
        door = sandbox.doors.put(replace(door, nickname=name))
        sandbox.device_events.of_device(door, "name_changed", device_name=name)
    if asked.is_managed is False:
        door = sandbox.doors.put(replace(door, is_managed=False))
        for code in sandbox.codes.of_door(door.device_id):
            sandbox.lifecycle.save(replace(code, is_managed=False))
        sandbox.device_events.of_device(door, "converted_to_unmanaged")
    return {}


def one_door(sandbox: Sandbox, asked: GetDevice, *, is_managed: bool) -> Door:
    """Return the door that the parameters name.

    Raises:
        ApiError: 400, they name none; 404.

    """
    if asked.device_id is not None:
        return sandbox.doors.get(asked.device_id, is_managed=is_managed)
    if asked.name is None:
        raise invalid_input("device_id", "Required, or name")
    for door in sandbox.doors:
        if door.name == asked.name and door.is_managed is is_managed:
            return door
    raise not_found("device", asked.name)


def _given_name(asked: UpdateDevice) -> str | None:
    named = (asked.properties or {}).get("name")
    return asked.name or (named if isinstance(named, str) else None)


def _shown(sandbox: Sandbox, door: Door) -> JsonObject:
    return device_object(door, sandbox.accounts.find(door.connected_account_id))
