"""Control of the doors: add, change (as an installer would), remove."""

from deploy.sandbox.control.routes import Ask, Control
from deploy.sandbox.door_spec import Behaviour, DoorSpec
from deploy.sandbox.doors import Door
from deploy.sandbox.errors import ControlError
from deploy.sandbox.wire import JsonObject


def door_object(door: Door) -> JsonObject:
    """Return a door as the control endpoints show it."""
    return {
        "device_id": door.device_id,
        "name": door.name,
        "spec": door.spec.model_dump() if door.spec else None,
        "behaviour": door.behaviour.model_dump(),
        "device": door.device,
    }


def _list(ask: Ask) -> JsonObject:
    return {"devices": [door_object(door) for door in ask.world.doors]}


def _add(ask: Ask) -> JsonObject:
    body = dict(ask.body)
    device = body.pop("device", None)
    if device is None:
        return door_object(ask.world.doors.describe(DoorSpec.model_validate(body)))
    return door_object(ask.world.doors.put_raw(_object(device), Behaviour.model_validate(body)))


def _change(ask: Ask) -> JsonObject:
    door = ask.world.doors.find(ask.path["device_id"])
    body = dict(ask.body)
    device = body.pop("device", None)
    if device is None:
        return door_object(ask.world.doors.change(door, body))
    behaviour = Behaviour.model_validate({**door.behaviour.model_dump(), **body})
    raw = {**_object(device), "device_id": door.device_id}
    return door_object(ask.world.doors.put_raw(raw, behaviour))


def _remove(ask: Ask) -> JsonObject:
    door = ask.world.doors.find(ask.path["device_id"])
    ask.world.doors.remove(door.device_id)
    return {"deleted": door.device_id}


def _object(device: object) -> JsonObject:
    if not isinstance(device, dict):
        raise ControlError("device: a JSON object is needed")
    return device


CONTROLS = (
    Control("GET", "/sandbox/devices", "All doors, with how their codes are treated.", _list),
    Control("POST", "/sandbox/devices", "Add or replace a door, described briefly or as {device}.", _add),
    Control("PATCH", "/sandbox/devices/{device_id}", "Change a door: slots, zone, behaviour.", _change),
    Control("DELETE", "/sandbox/devices/{device_id}", "Remove a door.", _remove),
)
