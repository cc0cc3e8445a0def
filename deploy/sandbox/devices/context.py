"""The door and the account behind a ``device_id``: what access codes and their events inherit."""

from dataclasses import dataclass

from deploy.sandbox.devices.accounts import Account, Accounts
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.doors import Doors
from deploy.sandbox.devices.issues import Issue
from deploy.sandbox.ids import CONNECTED_ACCOUNT_ID


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """A door and its account; None where they were removed."""

    door: Door | None
    account: Account | None

    @property
    def device_issues(self) -> tuple[Issue, ...]:
        """The door's own issues."""
        return self.door.issues if self.door else ()

    @property
    def account_issues(self) -> tuple[Issue, ...]:
        """The account's issues."""
        return self.account.issues if self.account else ()

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The errors of the door and of its account: each keeps Seam from changing codes on the door."""
        return tuple(issue for issue in (*self.device_issues, *self.account_issues) if issue.is_error)

    @property
    def is_account_disconnected(self) -> bool:
        """Whether Seam can't learn how codes stand ("Lifecycle of Access Codes": status ``unknown``)."""
        return self.account is not None and self.account.has("account_disconnected")

    @property
    def has_overrides_left(self) -> bool:
        """Whether codes of the door can still be overridden."""
        return self.door is None or self.door.has_overrides_left

    @property
    def connected_account_id(self) -> str:
        """The account's id, also after the door was removed."""
        return self.door.connected_account_id if self.door else CONNECTED_ACCOUNT_ID


class DeviceContexts:
    """Looks up doors with their accounts."""

    def __init__(self, doors: Doors, accounts: Accounts) -> None:
        """Read from these."""
        self._doors = doors
        self._accounts = accounts

    def of(self, device_id: str) -> DeviceContext:
        """Return what is behind a ``device_id``."""
        door = self._doors.find(device_id)
        return DeviceContext(door, self._accounts.find(door.connected_account_id) if door else None)
