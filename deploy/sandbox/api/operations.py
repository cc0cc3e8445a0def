"""Every endpoint of the API: path, methods, parameters, and the function that answers.

Names and methods are those of Seam's API reference and SDK.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from deploy.sandbox.api import (
    access_codes,
    accounts,
    action_attempts,
    change,
    create,
    device_filters,
    devices,
    events,
    simulate_devices,
    unmanaged_codes,
    unmanaged_devices,
    unsupported,
    webhooks,
    workspaces,
)
from deploy.sandbox.api.parameters import P, read_parameters
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject

_READ = frozenset({"GET", "POST"})
_CREATE = frozenset({"POST"})
_CREATE_MANY = frozenset({"PUT", "POST"})
_UPDATE = frozenset({"PATCH", "POST"})
_UPDATE_CODE = frozenset({"PATCH", "PUT", "POST"})
_REPLACE = frozenset({"PUT", "POST"})
_DELETE = frozenset({"DELETE", "POST"})


@dataclass(frozen=True, slots=True)
class Operation(Generic[P]):
    """One endpoint; `name` is the path with dots, such as ``access_codes.create``."""

    path: str
    methods: frozenset[str]
    parameters: type[P]
    handle: Callable[[Sandbox, P], JsonObject]

    @property
    def name(self) -> str:
        """The name by which faults refer to it."""
        return self.path.strip("/").replace("/", ".")

    def answer(self, sandbox: Sandbox, values: Mapping[str, Any], *, is_query: bool) -> JsonObject:
        """Check the parameters and carry the call out.

        Raises:
            ApiError: the call is refused.

        """
        return self.handle(sandbox, read_parameters(self.parameters, values, is_query=is_query))


_ALL: tuple[Operation[Any], ...] = (
    Operation("/access_codes/create", _CREATE, create.CreateAccessCode, create.create),
    Operation("/access_codes/get", _READ, access_codes.GetAccessCode, access_codes.get),
    Operation("/access_codes/list", _READ, access_codes.ListAccessCodes, access_codes.list_codes),
    Operation("/access_codes/update", _UPDATE_CODE, change.UpdateAccessCode, change.update),
    Operation("/access_codes/delete", _DELETE, change.DeleteAccessCode, change.delete),
    Operation("/access_codes/create_multiple", _CREATE_MANY, unsupported.CreateMultiple, unsupported.create_multiple),
    Operation("/access_codes/update_multiple", _UPDATE, unsupported.UpdateMultiple, unsupported.update_multiple),
    Operation("/access_codes/generate_code", _READ, unsupported.OfDevice, unsupported.generate_code),
    Operation(
        "/access_codes/pull_backup_access_code", _CREATE, unsupported.PullBackup, unsupported.pull_backup_access_code
    ),
    Operation(
        "/access_codes/report_device_constraints",
        _CREATE,
        unsupported.ReportConstraints,
        unsupported.report_device_constraints,
    ),
    Operation("/access_codes/unmanaged/get", _READ, access_codes.GetAccessCode, unmanaged_codes.get),
    Operation("/access_codes/unmanaged/list", _READ, unmanaged_codes.ListUnmanaged, unmanaged_codes.list_unmanaged),
    Operation("/access_codes/unmanaged/update", _UPDATE, unmanaged_codes.UpdateUnmanaged, unmanaged_codes.update),
    Operation(
        "/access_codes/unmanaged/convert_to_managed",
        _UPDATE,
        unmanaged_codes.ConvertToManaged,
        unmanaged_codes.convert_to_managed,
    ),
    Operation("/access_codes/unmanaged/delete", _DELETE, unmanaged_codes.OfUnmanaged, unmanaged_codes.delete),
    Operation(
        "/access_codes/simulate/create_unmanaged_access_code",
        _CREATE,
        unmanaged_codes.CreateUnmanaged,
        unmanaged_codes.simulate_create,
    ),
    Operation("/action_attempts/get", _READ, action_attempts.GetAttempt, action_attempts.get),
    Operation("/action_attempts/list", _READ, action_attempts.ListAttempts, action_attempts.list_attempts),
    Operation("/connected_accounts/get", _READ, accounts.GetAccount, accounts.get),
    Operation("/connected_accounts/list", _READ, accounts.ListAccounts, accounts.list_accounts),
    Operation("/connected_accounts/update", _UPDATE, accounts.UpdateAccount, accounts.update),
    Operation("/connected_accounts/sync", _CREATE, accounts.OfAccount, accounts.sync),
    Operation("/connected_accounts/delete", _DELETE, accounts.OfAccount, accounts.delete),
    Operation("/connected_accounts/simulate/disconnect", _CREATE, accounts.OfAccount, accounts.simulate_disconnect),
    Operation("/devices/get", _READ, devices.GetDevice, devices.get),
    Operation("/devices/list", _READ, device_filters.DeviceFilters, devices.list_devices),
    Operation("/devices/list_device_providers", _READ, devices.ListProviders, devices.list_providers),
    Operation("/devices/update", _UPDATE, devices.UpdateDevice, devices.update),
    Operation(
        "/devices/report_provider_metadata",
        _CREATE,
        unsupported.ReportProviderMetadata,
        unsupported.report_provider_metadata,
    ),
    Operation("/devices/unmanaged/get", _READ, devices.GetDevice, unmanaged_devices.get),
    Operation("/devices/unmanaged/list", _READ, device_filters.DeviceFilters, unmanaged_devices.list_devices),
    Operation("/devices/unmanaged/update", _UPDATE, unmanaged_devices.UpdateUnmanagedDevice, unmanaged_devices.update),
    Operation("/devices/simulate/connect", _CREATE, unsupported.OfDevice, simulate_devices.connect),
    Operation("/devices/simulate/disconnect", _CREATE, unsupported.OfDevice, simulate_devices.disconnect),
    Operation("/devices/simulate/remove", _CREATE, unsupported.OfDevice, simulate_devices.remove),
    Operation("/devices/simulate/connect_to_hub", _CREATE, unsupported.OfDevice, unsupported.simulate_hub),
    Operation("/devices/simulate/disconnect_from_hub", _CREATE, unsupported.OfDevice, unsupported.simulate_hub),
    Operation(
        "/devices/simulate/paid_subscription",
        _CREATE,
        unsupported.PaidSubscription,
        unsupported.simulate_paid_subscription,
    ),
    Operation("/locks/get", _READ, devices.GetDevice, devices.get_lock),
    Operation("/locks/list", _READ, device_filters.LockFilters, devices.list_locks),
    Operation("/locks/lock_door", _CREATE, unsupported.OfDevice, unsupported.remote_lock),
    Operation("/locks/unlock_door", _CREATE, unsupported.OfDevice, unsupported.remote_lock),
    Operation("/locks/configure_auto_lock", _CREATE, unsupported.ConfigureAutoLock, unsupported.configure_auto_lock),
    Operation("/locks/simulate/keypad_code_entry", _CREATE, unsupported.KeypadCodeEntry, unsupported.simulate_keypad),
    Operation("/locks/simulate/manual_lock_via_keypad", _CREATE, unsupported.OfDevice, unsupported.simulate_keypad),
    Operation("/events/get", _READ, events.GetEvent, events.get),
    Operation("/events/list", _READ, events.ListEvents, events.list_events),
    Operation("/webhooks/create", _CREATE, webhooks.CreateWebhook, webhooks.create),
    Operation("/webhooks/get", _READ, webhooks.OfWebhook, webhooks.get),
    Operation("/webhooks/list", _READ, webhooks.ListWebhooks, webhooks.list_webhooks),
    Operation("/webhooks/update", _REPLACE, webhooks.UpdateWebhook, webhooks.update),
    Operation("/webhooks/delete", _DELETE, webhooks.OfWebhook, webhooks.delete),
    Operation("/workspaces/get", _READ, workspaces.NoParameters, workspaces.get),
    Operation("/workspaces/list", _READ, workspaces.NoParameters, workspaces.list_workspaces),
)

OPERATIONS = {operation.path: operation for operation in _ALL}
