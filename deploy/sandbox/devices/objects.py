"""What Seam serves of a door: a device, or an unmanaged device, which has fewer fields."""

from deploy.sandbox.devices.accounts import Account
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.issues import Issue, device_issue_object
from deploy.sandbox.encoding import JsonObject

# Fields that "Device" has and "Unmanaged Device" hasn't.
_MANAGED_ONLY = ("nickname", "space_ids", "device_manufacturer", "device_provider")
# All that is shown of the properties of an unmanaged device.
_UNMANAGED_PROPERTIES = ("image_url", "manufacturer", "model", "name", "online")


def device_issues(door: Door, account: Account | None) -> tuple[Issue, ...]:
    """Return the issues that a device shows: its own, and the errors of its account."""
    return (*door.issues, *(account.errors if account else ()))


def device_object(door: Door, account: Account | None) -> JsonObject:
    """Return the device as Seam serves it; one that was given raw is served as it was given, where it can be."""
    served = dict(door.device)
    if door.metadata is not None:
        served["custom_metadata"] = door.metadata
    if door.nickname is not None:
        served.update(nickname=door.nickname, display_name=door.nickname)
    issues = device_issues(door, account)
    for field, is_error in (("errors", True), ("warnings", False)):
        shown = [device_issue_object(issue) for issue in issues if issue.is_error is is_error]
        if shown:
            served[field] = [*(served.get(field) or []), *shown]
    if not door.is_connected and "online" in door.properties:
        served["properties"] = {**door.properties, "online": False}
    return served


def unmanaged_device_object(door: Door, account: Account | None) -> JsonObject:
    """Return the device as ``/devices/unmanaged`` serves it."""
    served = device_object(door, account)
    properties = served.get("properties")
    if isinstance(properties, dict):
        served["properties"] = {name: properties[name] for name in _UNMANAGED_PROPERTIES if name in properties}
    kept = {name: value for name, value in served.items() if name not in _MANAGED_ONLY}
    return {**kept, "is_managed": False}
