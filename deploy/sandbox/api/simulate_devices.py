"""``/devices/simulate``: Seam's own way to disconnect and remove a device of a sandbox workspace."""

from deploy.sandbox.api.unsupported import OfDevice
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.door import Door
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import refused
from deploy.sandbox.issues import clear_device_issue, open_device_issue


def disconnect(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Disconnect a device."""
    open_device_issue(sandbox, _able(sandbox, asked, "can_simulate_disconnection"), "device_disconnected")
    return {}


def connect(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Connect a device again."""
    door = _able(sandbox, asked, "can_simulate_connection")
    if door.has("device_disconnected"):
        clear_device_issue(sandbox, door, "device_disconnected")
    return {}


def remove(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Remove a device from its account; Seam keeps it, with an error."""
    open_device_issue(sandbox, _able(sandbox, asked, "can_simulate_removal"), "device_removed")
    return {}


def _able(sandbox: Sandbox, asked: OfDevice, flag: str) -> Door:
    door = sandbox.doors.get(asked.device_id)
    if door.device.get(flag) is not True:
        raise refused(f"The device does not support this simulation ({flag})")
    return door
