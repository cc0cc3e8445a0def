"""Endpoints that exist at Seam and that no Oracode door can serve: each refuses, and says why.

They check their parameters and the door first, as Seam does. Seam's pages name the devices that each is for.
"""

from typing import Literal

from deploy.sandbox.api.access_codes import managed_code
from deploy.sandbox.api.create import NewAccessCode
from deploy.sandbox.api.parameters import Limit, Parameters, Timestamp, Uuids
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import not_found, refused
from deploy.sandbox.models import Uuid


class OfDevice(Parameters):
    """A door."""

    device_id: Uuid


class CreateMultiple(NewAccessCode):
    """One new code with the same PIN on several doors."""

    device_ids: Uuids
    behavior_when_code_cannot_be_shared: Literal["throw", "create_random_code"] | None = None


class UpdateMultiple(Parameters):
    """The codes that share a PIN."""

    common_code_key: str
    ends_at: Timestamp | None = None
    name: str | None = None
    starts_at: Timestamp | None = None


class PullBackup(Parameters):
    """The code to replace."""

    access_code_id: Uuid


class ReportConstraints(OfDevice):
    """Constraints on the codes of a device."""

    max_code_length: Limit | None = None
    min_code_length: Limit | None = None
    supported_code_lengths: list[float] | None = None


class ReportProviderMetadata(Parameters):
    """Devices with what their provider knows of them."""

    devices: list[JsonObject]


class ConfigureAutoLock(OfDevice):
    """When to lock by itself."""

    auto_lock_enabled: bool
    auto_lock_delay_seconds: float | None = None


class PaidSubscription(OfDevice):
    """Whether the subscription has ended."""

    is_expired: bool


class KeypadCodeEntry(OfDevice):
    """A PIN to type in."""

    code: str


def create_multiple(sandbox: Sandbox, asked: CreateMultiple) -> JsonObject:
    """Refuse: it can't ask for offline codes, and the PINs of two doors can't be the same."""
    for device_id in asked.device_ids:
        sandbox.doors.get(device_id)
    raise refused("The devices only support offline access codes")


def update_multiple(sandbox: Sandbox, asked: UpdateMultiple) -> JsonObject:
    """Refuse: no codes share a PIN."""
    del sandbox
    raise not_found("access_code", f"with the common_code_key {asked.common_code_key}")


def generate_code(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Refuse: the provider chooses the PIN (the device's constraint ``cannot_specify_pin_code``)."""
    sandbox.doors.get(asked.device_id)
    raise refused("A code cannot be specified for this device")


def pull_backup_access_code(sandbox: Sandbox, asked: PullBackup) -> JsonObject:
    """Refuse: there are no backup codes."""
    managed_code(sandbox, asked.access_code_id)
    raise refused("The device does not support a backup access code pool")


def report_device_constraints(sandbox: Sandbox, asked: ReportConstraints) -> JsonObject:
    """Refuse: for SmartThings devices."""
    sandbox.doors.get(asked.device_id)
    raise refused("Constraints can only be reported for SmartThings devices")


def report_provider_metadata(sandbox: Sandbox, asked: ReportProviderMetadata) -> JsonObject:
    """Refuse: no provider metadata of an Oracode door can be set."""
    del sandbox, asked
    raise refused("Provider metadata cannot be reported for dormakaba Oracode devices")


def simulate_hub(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Refuse: for August, TTLock and igloohome devices."""
    sandbox.doors.get(asked.device_id)
    raise refused("The device does not support simulating a hub")


def simulate_paid_subscription(sandbox: Sandbox, asked: PaidSubscription) -> JsonObject:
    """Refuse: for Nuki devices."""
    sandbox.doors.get(asked.device_id)
    raise refused("The device does not support simulating a paid subscription")


def remote_lock(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Refuse: the door's flags ``can_remotely_lock`` and ``can_remotely_unlock`` are false."""
    sandbox.doors.get(asked.device_id)
    raise refused("The device cannot be locked or unlocked remotely")


def configure_auto_lock(sandbox: Sandbox, asked: ConfigureAutoLock) -> JsonObject:
    """Refuse: the door has no flag ``can_configure_auto_lock``."""
    sandbox.doors.get(asked.device_id)
    raise refused("Auto-lock cannot be configured for the device")


def simulate_keypad(sandbox: Sandbox, asked: OfDevice) -> JsonObject:
    """Refuse: for August devices."""
    sandbox.doors.get(asked.device_id)
    raise refused("The device does not support simulating its keypad")
