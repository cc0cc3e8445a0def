"""Every endpoint of the API: path, name for faults, methods, and the function that answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from deploy.sandbox.api import access_codes, change, create, devices, events, webhooks
from deploy.sandbox.api.params import Params
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World

Handler: TypeAlias = Callable[[World, Params], JsonObject]

_READ = frozenset({"GET", "POST"})
_CREATE = frozenset({"POST"})
_UPDATE = frozenset({"PATCH", "PUT", "POST"})
_DELETE = frozenset({"DELETE", "POST"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint; `name` is the path with a dot, such as ``access_codes.create``."""

    path: str
    methods: frozenset[str]
    handle: Handler

    @property
    def name(self) -> str:
        """The name by which faults refer to it."""
        return self.path.strip("/").replace("/", ".")


_ALL = (
    Operation("/devices/get", _READ, devices.get),
    Operation("/devices/list", _READ, devices.list_devices),
    Operation("/locks/get", _READ, devices.get_lock),
    Operation("/locks/list", _READ, devices.list_locks),
    Operation("/access_codes/create", _CREATE, create.create),
    Operation("/access_codes/get", _READ, access_codes.get),
    Operation("/access_codes/unmanaged/get", _READ, access_codes.get_unmanaged),
    Operation("/access_codes/unmanaged/list", _READ, access_codes.list_unmanaged),
    Operation("/access_codes/list", _READ, access_codes.list_codes),
    Operation("/access_codes/update", _UPDATE, change.update),
    Operation("/access_codes/delete", _DELETE, change.delete),
    Operation("/events/list", _READ, events.list_events),
    Operation("/events/get", _READ, events.get),
    Operation("/webhooks/create", _CREATE, webhooks.create),
    Operation("/webhooks/get", _READ, webhooks.get),
    Operation("/webhooks/list", _READ, webhooks.list_webhooks),
    Operation("/webhooks/update", _UPDATE, webhooks.update),
    Operation("/webhooks/delete", _DELETE, webhooks.delete),
    Operation("/action_attempts/get", _READ, access_codes.get_attempt),
)

OPERATIONS = {operation.path: operation for operation in _ALL}
