"""Control of the doors: add, change (as an installer would), remove."""

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.objects import device_object
from deploy.sandbox.devices.spec import Behaviour, DoorSpec
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ControlError


def door_object(sandbox: Sandbox, door: Door) -> JsonObject:
    """Return a door as the control endpoints show it."""
    return {
        "device_id": door.device_id,
        "name": door.name,
        "spec": door.spec.model_dump() if door.spec else None,
        "behaviour": door.behaviour.model_dump(),
        "device": device_object(door, sandbox.accounts.find(door.connected_account_id)),
    }


def _list(request: ControlRequest) -> JsonObject:
    return {"devices": [door_object(request.sandbox, door) for door in request.sandbox.doors]}


def _add(request: ControlRequest) -> JsonObject:
    body = dict(request.body)
    device = body.pop("device", None)
    if device is None:
        return door_object(request.sandbox, request.sandbox.doors.describe(DoorSpec.model_validate(body)))
    return door_object(request.sandbox, request.sandbox.doors.put_raw(_object(device), Behaviour.model_validate(body)))


def _change(request: ControlRequest) -> JsonObject:
    door = request.sandbox.doors.control(request.path["device_id"])
    body = dict(request.body)
    device = body.pop("device", None)
    if device is None:
        return door_object(request.sandbox, request.sandbox.doors.change(door, body))
    behaviour = Behaviour.model_validate({**door.behaviour.model_dump(), **body})
    raw = {**_object(device), "device_id": door.device_id}
    return door_object(request.sandbox, request.sandbox.doors.put_raw(raw, behaviour))


def _remove(request: ControlRequest) -> JsonObject:
    door = request.sandbox.doors.control(request.path["device_id"])
    request.sandbox.doors.remove(door.device_id)
    return {"deleted": door.device_id}


def _object(device: object) -> JsonObject:
    if not isinstance(device, dict):
        raise ControlError("device: a JSON object is needed")
    return device


ENDPOINTS = (
    ControlEndpoint("GET", "/sandbox/devices", "All doors, with how their codes are treated.", _list),
    ControlEndpoint(
        "POST",
        "/sandbox/devices",
        f"Add or replace a door, described briefly or as {{device}}; brief fields: {', '.join(DoorSpec.model_fields)}.",
        _add,
        (
            {"name": "Room 7", "slots": [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]},
            {"code_flags": {"is_overridable": True}, "override_budget": 1},
        ),
    ),
    ControlEndpoint(
        "PATCH",
        "/sandbox/devices/{device_id}",
        "Change a door as an installer would, or how its codes are treated.",
        _change,
        (
            {"slots": [{"name": "Guest", "check_in": "15:00", "check_out": "11:00"}]},
            {"updates_fail": True, "removals_fail": True},
        ),
    ),
    ControlEndpoint("DELETE", "/sandbox/devices/{device_id}", "Remove a door.", _remove),
)
