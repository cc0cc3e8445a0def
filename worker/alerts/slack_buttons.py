"""The buttons under a Slack message; `POST /slack/actions` receives their clicks."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from shared.domain.booking.record import Window
from shared.domain.matching.manual_choice import called
from shared.domain.matching.manual_options import MOST_OFFERS
from shared.ops_commands import HANDLE, RETRY, SlotOrder, button_for
from worker.alerts.message import AlertItem, AlertMessage, SlotChoice, one_line

# Each takes two of the 50 blocks that a message may have (Slack docs, "Blocks"), and space on the screen.
MOST_WITH_BUTTONS: Final = 5
# Slack docs, "Button element" and "Confirmation dialog object".
_LONGEST_LABEL: Final = 75
_LONGEST_QUESTION: Final = 300
# The longest slot name on a button, so that there is space for what the slot means.
_LONGEST_NAME: Final = 24


def with_buttons(message: AlertMessage) -> tuple[AlertItem, ...]:
    """Return the problems of a message that get buttons: all if they are few, else those with a choice, if few."""
    if len(message.items) <= MOST_WITH_BUTTONS:
        return message.items
    choosable = tuple(item for item in message.items if item.choices)
    return choosable if len(choosable) <= MOST_WITH_BUTTONS else ()


def button_blocks(message: AlertMessage) -> list[dict[str, Any]]:
    """Return the blocks of buttons below a message; if there are several problems, each under its name."""
    if len(message.items) == 1:
        block = buttons(message.first)
        return [block] if block["elements"] else []
    blocks: list[dict[str, Any]] = []
    for number, item in enumerate(with_buttons(message), start=1):
        name = f"{item.subject}, check-in {item.check_in}" if item.check_in else item.subject
        # Block ids must be unique in a message (Slack docs, "Blocks").
        block = buttons(item) | {"block_id": f"oracode-{number}"}
        blocks += [{"type": "section", "text": _plain(name)}, block] if block["elements"] else []
    return blocks


def buttons(item: AlertItem) -> dict[str, Any]:
    """Return the block of buttons for one problem. Slack limits a value to 2,000 characters; keys are far shorter."""
    elements = [] if item.handled else [_button("Mark as handled", HANDLE, item.key)]
    if item.booking_id:
        elements.insert(0, _button("Try again now", RETRY, item.booking_id))
        elements += _choices(item)
    return {"type": "actions", "block_id": "oracode", "elements": elements}


def _choices(item: AlertItem) -> Iterator[dict[str, Any]]:
    """Yield a button for each slot that may be chosen; Slack asks for a confirmation before it sends the click."""
    for place, choice in enumerate(item.choices[:MOST_OFFERS], start=1):
        window = Window(datetime.fromisoformat(choice.starts_at), datetime.fromisoformat(choice.ends_at))
        order = SlotOrder(door=choice.door, slot=choice.slot, window=window)
        told = button_for(item.booking_id, order, place)
        if told is not None:
            label = one_line(f"Use {called(one_line(choice.name, _LONGEST_NAME))}: {choice.meaning}", _LONGEST_LABEL)
            yield _button(label, *told) | {"confirm": _question(choice)}


def _question(choice: SlotChoice) -> dict[str, Any]:
    """Return the dialog that Slack shows before it sends the click: plain text, so nothing in it is markup."""
    text = (
        f"A code of {called(choice.name)} works from {choice.window}. It {choice.meaning}."
        " The booking itself stays as it is."
    )
    return {
        "title": _plain("Make a code for this slot?"),
        "text": _plain(one_line(text, _LONGEST_QUESTION)),
        "confirm": _plain("Make the code"),
        "deny": _plain("Cancel"),
    }


def _button(text: str, action: str, value: str) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": action,
        "value": value,
        "text": _plain(text),
    }


def _plain(text: str) -> dict[str, Any]:
    """Return text that Slack shows as it is, without emoji for names such as `:key:`."""
    return {"type": "plain_text", "text": text, "emoji": False}
