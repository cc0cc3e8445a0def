"""What people order by a button or in the console: one JSON object an entry of the stream `ops-commands`.

The worker consumes it.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.contracts import is_id
from shared.domain import versions
from shared.domain.booking.record import Window
from shared.domain.messages.time_fields import LONGEST_TIME
from shared.domain.quoting import shown
from shared.domain.versions import NewerVersionNeeded, is_incompatible, is_newer, schema_in
from shared.parked import is_parked_id

RETRY: Final = "retry_booking"
HANDLE: Final = "handle_alert"
CHOOSE: Final = "choose_slot"
CANCEL: Final = "cancel_booking"
REISSUE: Final = "reissue_code"
CHANGE: Final = "change_stay"
TEST: Final = "test_code"
REPLAY: Final = "replay_parked"
DISCARD: Final = "discard_parked"
ACTIONS: Final = (RETRY, HANDLE, CHOOSE, CANCEL, REPLAY, DISCARD, REISSUE, CHANGE, TEST)
OF_PARKED: Final = (REPLAY, DISCARD)
# The lines of a booking's story that say why an order was not done.
NOT_CHANGED: Final = "booking.not_changed"
NOT_CHOSEN: Final = "slot.not_chosen"
NOT_REISSUED: Final = "code.not_reissued"
REFUSALS: Final = (NOT_CHANGED, NOT_CHOSEN, NOT_REISSUED)
# The fact of such a line that says which order was refused: the id of its entry.
ORDER_FACT: Final = "order"
COMMAND_FIELD: Final = "command"
LONGEST_REASON: Final = 500
LONGEST_TARGET: Final = 2_000
"""Slack's own bound of what a button may carry (Slack docs, "Button element", `value`)."""
_SEPARATOR: Final = ":"
_TEXTS: Final = ("reason", "message", "door", "access_code_id", "check_in", "check_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOrder:
    """Which slot was chosen for which door (its key), and the window of the code that the person was shown."""

    door: str
    slot: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsCommand:
    """One order: what (`action`), about what (`target`: the id of a booking or a parked message, or an alert's key).

    `by` is who gave it, and `reason` why, for the story. `choice` is the slot of a CHOOSE, which has the booking's id
    as its target, or of a TEST, which has a door's `device_id` there; None for all others. `message` is what a parked
    message is replaced with when it is replayed; empty: it goes back as it is. REISSUE names the door (its key) and the
    access code that the person was shown. CHANGE has the new times, as a booking message writes them (empty: that time
    stays), and the booking's `revision` that the person was shown; `knows_it_ends`: these times are over, and the
    person knows that the booking ends by them.
    """

    action: str
    target: str
    by: str
    choice: SlotOrder | None = None
    reason: str = ""
    message: str = ""
    door: str = ""
    access_code_id: str = ""
    check_in: str = ""
    check_out: str = ""
    revision: int | None = None
    knows_it_ends: bool = False

    def encoded(self) -> str:
        """Return the entry's text."""
        told: dict[str, Any] = {"schema": versions.ORDER, "action": self.action, "target": self.target, "by": self.by}
        more = {name: getattr(self, name) for name in _TEXTS}
        told |= {name: text for name, text in more.items() if text}
        told |= {"revision": self.revision} if self.revision is not None else {}
        told |= {"knows_it_ends": True} if self.knows_it_ends else {}
        return json.dumps(told | (_choice_object(self.choice) if self.choice is not None else {}))


def command_from(text: str) -> OpsCommand:
    """Return the order that an entry holds. Raises ValueError, saying what is wrong; NewerVersionNeeded."""
    content = _object(text)
    if _is_for_a_newer_version(content):
        raise NewerVersionNeeded("an order", schema_in(content), versions.ORDER)
    if content is None or content.get("action") not in ACTIONS:
        raise ValueError(f"is no order of {', '.join(ACTIONS)}")
    target, by = content.get("target"), content.get("by")
    if not isinstance(target, str) or not 0 < len(target) <= LONGEST_TARGET:
        raise ValueError("names no target")
    if content["action"] in OF_PARKED and not is_parked_id(target):
        raise ValueError("names no target: no parked message")
    choice = None
    if content["action"] in (CHOOSE, TEST):
        choice = _choice_from(content)
        if choice is None or not is_id(target):
            raise ValueError("names no target: no booking or door, slot and window")
    door, access_code_id = content.get("door"), content.get("access_code_id")
    is_reissue = content["action"] == REISSUE
    if is_reissue and not (is_id(target) and is_id(door) and is_id(access_code_id)):
        raise ValueError("names no target: no booking, door and access code")
    change = _change_from(content, target) if content["action"] == CHANGE else {}
    reason, message = content.get("reason"), content.get("message")
    return OpsCommand(
        action=content["action"],
        target=target,
        by=shown(by) if isinstance(by, str) else "",
        choice=choice,
        reason=shown(reason[:LONGEST_REASON]) if isinstance(reason, str) else "",
        message=message if isinstance(message, str) else "",
        door=str(door) if is_reissue else "",
        access_code_id=str(access_code_id) if is_reissue else "",
        **change,
    )


def button_for(booking_id: str, choice: SlotOrder, place: int) -> tuple[str, str] | None:
    """Return id and value of the button that orders this choice, the `place`-th of its block.

    Ids are unique in a block, so they carry the place. None where the value is more than a button can carry.
    """
    value = json.dumps({"booking": booking_id} | _choice_object(choice), separators=(",", ":"))
    return (f"{CHOOSE}{_SEPARATOR}{place}", value) if len(value) <= LONGEST_TARGET else None


def ordered_by(action_id: str, value: str, by: str) -> OpsCommand | None:
    """Return what the press of a button orders; None for buttons that aren't ours, or say nothing that can be used."""
    if not 0 < len(value) <= LONGEST_TARGET:
        return None
    if action_id in (RETRY, HANDLE):
        return OpsCommand(action=action_id, target=value, by=by)
    if action_id.partition(_SEPARATOR)[0] != CHOOSE:
        return None
    try:
        content = _object(value)
    except ValueError:
        return None
    booking_id, choice = (content.get("booking"), _choice_from(content)) if content is not None else (None, None)
    if choice is None or not is_id(booking_id):
        return None
    return OpsCommand(action=CHOOSE, target=booking_id, by=by, choice=choice)


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text, None where it is something else. Raises ValueError where it is no JSON."""
    try:
        content = json.loads(text)
    except RecursionError:
        return None
    return content if isinstance(content, dict) else None


def _choice_object(choice: SlotOrder) -> dict[str, str]:
    window = choice.window
    times = {"starts_at": window.starts_at.isoformat(), "ends_at": window.ends_at.isoformat()}
    return {"door": choice.door, "slot": choice.slot} | times


def _choice_from(content: dict[str, Any]) -> SlotOrder | None:
    door, slot = content.get("door"), content.get("slot")
    starts_at, ends_at = _moment(content.get("starts_at")), _moment(content.get("ends_at"))
    if starts_at is None or ends_at is None or not is_id(door):
        return None
    if not isinstance(slot, str) or not 0 < len(slot) <= LONGEST_TARGET:
        return None
    return SlotOrder(door=door, slot=slot, window=Window(starts_at, ends_at))


def _change_from(content: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the fields of a CHANGE. Raises ValueError. Whether its times can be used, the booking's message shows."""
    times = {name: content.get(name, "") for name in ("check_in", "check_out")}
    revision = content.get("revision")
    if not is_id(target) or type(revision) is not int:
        raise ValueError("names no target: no booking and revision")
    if not all(isinstance(text, str) and len(text) <= LONGEST_TIME for text in times.values()) or not any(
        times.values()
    ):
        raise ValueError("names no time")
    return times | {"revision": revision, "knows_it_ends": content.get("knows_it_ends") is True}


def _moment(text: Any) -> datetime | None:
    """Return the aware instant that a text holds; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _is_for_a_newer_version(content: dict[str, Any] | None) -> bool:
    schema = schema_in(content)
    is_unknown = content is not None and content.get("action") not in ACTIONS
    return is_incompatible(schema, versions.ORDER) or (is_unknown and is_newer(schema, versions.ORDER))
