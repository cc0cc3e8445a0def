"""The buttons under a Slack message; `POST /slack/actions` takes what they say."""

from typing import Any

from shared.ops_commands import HANDLE, RETRY
from worker.alerts.message import AlertItem


def buttons(item: AlertItem) -> dict[str, Any]:
    """Return the block of buttons for one problem. Slack bounds a value to 2,000 characters; keys are far shorter."""
    elements = [_button("Mark as handled", HANDLE, item.key)]
    if item.booking_id:
        elements.insert(0, _button("Try again now", RETRY, item.booking_id))
    return {"type": "actions", "block_id": "oracode", "elements": elements}


def _button(text: str, action: str, value: str) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": action,
        "value": value,
        "text": {"type": "plain_text", "text": text},
    }
