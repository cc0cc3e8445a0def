"""``access_code.*`` events, with the fields that Seam's event types have."""

from typing import Any

from deploy.sandbox.codes.codes import Code
from deploy.sandbox.codes.unmanaged import FoundCode
from deploy.sandbox.devices.context import DeviceContexts
from deploy.sandbox.devices.events import issue_lists
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.events.log import Event, EventLog


class CodeEvents:
    """Emits events about codes."""

    def __init__(self, events: EventLog, contexts: DeviceContexts) -> None:
        """Write to a log."""
        self._events = events
        self._contexts = contexts

    def emit(self, code: Code | FoundCode, event_type: str, /, **fields: Any) -> Event:
        """Emit an ``access_code.*`` event; `event_type` without that prefix."""
        context = self._contexts.of(code.device_id)
        return self._events.emit(
            f"access_code.{event_type}",
            access_code_id=code.access_code_id,
            device_id=code.device_id,
            connected_account_id=context.connected_account_id,
            device_custom_metadata=context.door.custom_metadata if context.door else {},
            connected_account_custom_metadata=context.account.custom_metadata if context.account else {},
            **fields,
        )

    def emit_with_issues(self, code: Code, event_type: str) -> Event:
        """Emit an event that carries the errors and warnings of the code, its device and its account."""
        context = self._contexts.of(code.device_id)
        return self.emit(
            code,
            event_type,
            access_code_errors=[_shown(error, "error_code") for error in code.errors],
            access_code_warnings=[_shown(warning, "warning_code") for warning in code.warnings],
            **issue_lists("device", context.device_issues),
            **issue_lists("connected_account", context.account_issues),
        )


def _shown(entry: JsonObject, code_field: str) -> JsonObject:
    return {name: entry[name] for name in ("created_at", "message", code_field)}
