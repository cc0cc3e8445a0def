"""Filters of the lists of devices, locks and unmanaged devices."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from deploy.sandbox.api.metadata import metadata_matches
from deploy.sandbox.api.parameters import (
    Metadata,
    Page,
    SearchText,
    Timestamp,
    Uuids,
    list_of_query,
    one_of,
)
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.door import Door
from deploy.sandbox.encoding import parse_timestamp
from deploy.sandbox.models import Uuid
from deploy.sandbox.vocabulary import DEVICE_TYPES, LOCK_MANUFACTURERS, LOCK_TYPES, MANUFACTURERS

# Seam's API reference: a search finds a device by a prefix of its id only from so many characters on.
_SHORTEST_ID_PREFIX = 4

_DeviceType = Annotated[str, one_of(DEVICE_TYPES)]
_LockType = Annotated[str, one_of(LOCK_TYPES)]


class DeviceFilters(Page):
    """What a list of devices can be filtered by."""

    connect_webview_id: Uuid | None = None
    connected_account_id: Uuid | None = None
    connected_account_ids: Uuids | None = None
    created_before: Timestamp | None = None
    custom_metadata_has: Metadata | None = None
    customer_key: str | None = None
    device_ids: Uuids | None = None
    device_type: _DeviceType | None = None
    device_types: Annotated[list[_DeviceType], BeforeValidator(list_of_query)] | None = None
    manufacturer: Annotated[str, one_of(MANUFACTURERS)] | None = None
    search: SearchText | None = None
    space_id: Uuid | None = None
    unstable_location_id: Uuid | None = None
    user_identifier_key: str | None = None


class LockFilters(DeviceFilters):
    """What a list of locks can be filtered by."""

    device_type: _LockType | None = None
    device_types: Annotated[list[_LockType], BeforeValidator(list_of_query)] | None = None
    manufacturer: Annotated[str, one_of(LOCK_MANUFACTURERS)] | None = None


def selected(sandbox: Sandbox, asked: DeviceFilters, *, is_managed: bool) -> list[Door]:
    """Return the doors that pass every filter, in the order in which they were added."""
    doors = sorted(sandbox.doors, key=lambda door: door.seq)
    return [door for door in doors if door.is_managed is is_managed and all(_passes(sandbox, asked, door))]


def _passes(sandbox: Sandbox, asked: DeviceFilters, door: Door) -> Iterator[bool]:
    """Yield for each filter whether a door passes it; what the sandbox hasn't (spaces, users) no door passes."""
    account = sandbox.accounts.find(door.connected_account_id)
    foreign = (asked.connect_webview_id, asked.space_id, asked.unstable_location_id, asked.user_identifier_key)
    yield all(each is None for each in foreign)
    yield asked.connected_account_id in {None, door.connected_account_id}
    yield asked.connected_account_ids is None or door.connected_account_id in asked.connected_account_ids
    yield asked.created_before is None or _is_before(door.device.get("created_at"), asked)
    yield asked.custom_metadata_has is None or metadata_matches(door.custom_metadata, asked.custom_metadata_has)
    yield asked.customer_key is None or (account is not None and account.customer_key == asked.customer_key)
    yield asked.device_ids is None or door.device_id in asked.device_ids
    yield asked.device_type in {None, door.device.get("device_type")}
    yield asked.device_types is None or door.device.get("device_type") in asked.device_types
    yield asked.manufacturer in {None, door.properties.get("manufacturer")}
    yield asked.search is None or _is_found(door, asked.search.lower())


def _is_before(created_at: Any, asked: DeviceFilters) -> bool:
    if not isinstance(created_at, str) or asked.created_before is None:
        return False
    return parse_timestamp(created_at) < asked.created_before


def _is_found(door: Door, search: str) -> bool:
    """Whether a search finds a door: the API reference names the fields."""
    location = door.device.get("location")
    site = location.get("location_name") if isinstance(location, dict) else None
    metadata = (str(value) for value in door.custom_metadata.values())
    texts = (door.name, str(site or ""), door.connected_account_id, *metadata)
    is_prefix = len(search) >= _SHORTEST_ID_PREFIX and door.device_id.lower().startswith(search)
    return is_prefix or any(search in text.lower() for text in texts)
