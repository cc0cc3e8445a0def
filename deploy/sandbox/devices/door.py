"""A door: its device object, how the sandbox treats its codes, and what happened to it."""

from dataclasses import dataclass

from deploy.sandbox.devices.issues import Issue
from deploy.sandbox.devices.slots import Slot, slots_of
from deploy.sandbox.devices.spec import Behaviour, DoorSpec
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.ids import CONNECTED_ACCOUNT_ID

# Errors with which a device isn't online.
_DISCONNECTED = frozenset({"device_disconnected", "device_offline", "device_removed", "hub_disconnected"})


@dataclass(frozen=True, slots=True)
class Door:
    """A door; `spec` is None when it was given as a raw device object.

    `nickname` and `metadata` are what was set through the API. `overrides` is how often a code of it was overridden.
    """

    seq: int
    device: JsonObject
    behaviour: Behaviour
    spec: DoorSpec | None = None
    issues: tuple[Issue, ...] = ()
    is_managed: bool = True
    nickname: str | None = None
    metadata: JsonObject | None = None
    overrides: int = 0

    @property
    def device_id(self) -> str:
        """The id that Seam gave it."""
        return str(self.device["device_id"])

    @property
    def connected_account_id(self) -> str:
        """The account through which Seam reaches it; that of a new sandbox where a raw device names none."""
        found = self.device.get("connected_account_id")
        return found if isinstance(found, str) else CONNECTED_ACCOUNT_ID

    @property
    def name(self) -> str:
        """The name shown to people."""
        given = self.nickname or self.device.get("display_name") or self.properties.get("name")
        return str(given or self.device_id)

    @property
    def properties(self) -> JsonObject:
        """The device's properties, or nothing where they are malformed."""
        found = self.device.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def custom_metadata(self) -> JsonObject:
        """The device's custom metadata, or nothing where it is malformed."""
        found = self.device.get("custom_metadata") if self.metadata is None else self.metadata
        return found if isinstance(found, dict) else {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that can be read from the served device object."""
        return slots_of(self.device)

    @property
    def offers_offline_codes(self) -> bool:
        """Seam's capability flags: only a present ``true`` is a yes."""
        return self.device.get("can_program_offline_access_codes") is True

    @property
    def max_active_codes(self) -> int | None:
        """How many codes fit on the lock; None is no known limit."""
        found = self.properties.get("max_active_codes_supported")
        return int(found) if isinstance(found, int | float) else None

    @property
    def is_connected(self) -> bool:
        """Whether no issue of its own says that Seam can't reach it."""
        return not any(issue.code in _DISCONNECTED for issue in self.issues)

    @property
    def reports_online(self) -> bool:
        """Whether the device says that it is online: Seam emits no (dis)connected events for one that never does."""
        return self.properties.get("online") is True

    @property
    def has_overrides_left(self) -> bool:
        """Whether codes of the door can still be overridden."""
        budget = self.behaviour.override_budget
        return budget is None or self.overrides < budget

    def has(self, issue_code: str) -> bool:
        """Whether an issue of its own is open."""
        return any(issue.code == issue_code for issue in self.issues)
