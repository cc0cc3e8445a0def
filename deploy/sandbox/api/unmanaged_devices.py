"""``/devices/unmanaged``: devices that Seam sees and doesn't manage."""

from dataclasses import replace

from deploy.sandbox.api.device_filters import DeviceFilters, selected
from deploy.sandbox.api.devices import DEFAULT_LIMIT, GetDevice, one_door
from deploy.sandbox.api.metadata import merged_metadata
from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import Metadata, Parameters
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.objects import unmanaged_device_object
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input
from deploy.sandbox.models import Uuid


class UpdateUnmanagedDevice(Parameters):
    """What to change of a device; it can only be converted to managed."""

    device_id: Uuid
    custom_metadata: Metadata | None = None
    is_managed: bool | None = None


def get(sandbox: Sandbox, asked: GetDevice) -> JsonObject:
    """Return one device, by ``device_id`` or ``name``."""
    return {"device": _shown(sandbox, one_door(sandbox, asked, is_managed=False))}


def list_devices(sandbox: Sandbox, asked: DeviceFilters) -> JsonObject:
    """Return a page of devices."""
    doors = selected(sandbox, asked, is_managed=False)
    page, pagination = one_page(
        doors, asked, lambda door: door.seq, path="/devices/unmanaged/list", default_limit=DEFAULT_LIMIT
    )
    return {"devices": [_shown(sandbox, door) for door in page], "pagination": pagination}


def update(sandbox: Sandbox, asked: UpdateUnmanagedDevice) -> JsonObject:
    """Change a device's metadata, or let Seam manage it; its codes stay unmanaged."""
    door = sandbox.doors.get(asked.device_id, is_managed=False)
    if asked.is_managed is False:
        raise invalid_input("is_managed", "Invalid literal value, expected true")
    if asked.custom_metadata is not None:
        door = sandbox.doors.put(replace(door, metadata=merged_metadata(door.custom_metadata, asked.custom_metadata)))
    if asked.is_managed:
        door = sandbox.doors.put(replace(door, is_managed=True))
        sandbox.device_events.of_device(door, "unmanaged.converted_to_managed")
    return {}


def _shown(sandbox: Sandbox, door: Door) -> JsonObject:
    return unmanaged_device_object(door, sandbox.accounts.find(door.connected_account_id))
