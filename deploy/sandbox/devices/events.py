"""``device.*`` and ``connected_account.*`` events, with the fields that Seam's event types have."""

from typing import Any

from deploy.sandbox.devices.accounts import Account, Accounts
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.issues import Issue, event_issue_object
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.events.log import Event, EventLog


def issue_lists(prefix: str, issues: tuple[Issue, ...]) -> JsonObject:
    """Return the fields ``<prefix>_errors`` and ``<prefix>_warnings`` of an event."""
    return {
        f"{prefix}_errors": [event_issue_object(issue) for issue in issues if issue.is_error],
        f"{prefix}_warnings": [event_issue_object(issue) for issue in issues if not issue.is_error],
    }


class DeviceEvents:
    """Emits events about doors and their accounts."""

    def __init__(self, events: EventLog, accounts: Accounts) -> None:
        """Write to a log."""
        self._events = events
        self._accounts = accounts

    def of_device(self, door: Door, event_type: str, /, **fields: Any) -> Event:
        """Emit a ``device.*`` event; `event_type` without that prefix."""
        account = self._accounts.find(door.connected_account_id)
        customer = {} if account is None or account.customer_key is None else {"customer_key": account.customer_key}
        return self._events.emit(
            f"device.{event_type}",
            device_id=door.device_id,
            connected_account_id=door.connected_account_id,
            device_custom_metadata=door.custom_metadata,
            connected_account_custom_metadata=account.custom_metadata if account else {},
            **customer,
            **fields,
        )

    def of_device_with_issues(self, door: Door, event_type: str, /, **fields: Any) -> Event:
        """Emit a ``device.*`` event that carries the issues of the device and its account."""
        account = self._accounts.find(door.connected_account_id)
        lists = {**issue_lists("device", door.issues), **issue_lists("connected_account", _issues(account))}
        return self.of_device(door, event_type, **lists, **fields)

    def of_account(self, account: Account, event_type: str, /, **fields: Any) -> Event:
        """Emit a ``connected_account.*`` event; `event_type` without that prefix."""
        return self._events.emit(
            f"connected_account.{event_type}",
            connected_account_id=account.connected_account_id,
            connected_account_custom_metadata=account.custom_metadata,
            **fields,
        )

    def of_account_with_issues(self, account: Account, event_type: str) -> Event:
        """Emit a ``connected_account.*`` event that carries the account's issues."""
        return self.of_account(account, event_type, **issue_lists("connected_account", account.issues))


def _issues(account: Account | None) -> tuple[Issue, ...]:
    return account.issues if account else ()
