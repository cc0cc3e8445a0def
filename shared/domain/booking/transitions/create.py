"""A create in three transitions: the intent before the call; then the code, or that a look at Seam found none."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.booking.door_state import Creating, Issued, Scheduled
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Change, HistoryEntry, Intent, Window
from shared.domain.booking.transitions.change import (
    READ_BACK_WITHIN,
    Facts,
    StaleRead,
    change_door,
    door_for_revision,
    enter,
    span,
)

# A new try doesn't end this problem. Otherwise people would be told at each try that it is over.
_UNTIL_ANSWERED: Final = Reason.SEAM_UNEXPECTED


def record_intent(
    booking: Booking,
    seen_door: BookedDoor,
    intent: Intent,
    *,
    revision: int,
    facts: Facts,
    now: datetime,
    due_at: datetime,
) -> Change:
    """Record that a create is about to be sent. From here only a look at Seam decides.

    `seen_door` is the door as it stood before the look at Seam that found nothing: it is the fence. Raises StaleRead if
    anybody has moved the door since, or the booking was cancelled or changed.
    """
    is_as_seen = booking.door(seen_door.key) == seen_door
    if not is_as_seen or seen_door.intent is not None or seen_door.code is not None:
        raise StaleRead
    door = door_for_revision(booking, seen_door.key, revision)
    door = replace(
        enter(door, Creating(intent)),
        asked=intent.window,
        asked_user_level_id=intent.user_level_id or None,
        due_at=due_at,
    )
    if seen_door.reason == _UNTIL_ANSWERED:
        door = replace(door, reason=seen_door.reason, detail=seen_door.detail, is_muted=seen_door.is_muted)
    note = (facts.get("match") or {}).get("note", "")
    text = f"Asking Seam for a code from {span(intent.window)}. {note}".rstrip()
    return change_door(booking, door, now, HistoryEntry(at=now, what="code.requested", text=text, facts=facts))


def record_code(
    booking: Booking,
    key: str,
    code: AccessCode,
    *,
    revision: int | None,
    asked: Window,
    adopted: bool,
    now: datetime,
    user_level_id: str | None = None,
    request_id: str | None = None,
) -> Change:
    """Record that the access code exists, by our create or found by a look (`adopted`). Closes the intent.

    `asked` and `user_level_id` are what it should be for, `request_id` is of the call to Seam that told of it.

    It is a fact, so it is recorded even if the booking has changed meanwhile. `revision` is what the code was made for.
    If the booking has another one now, the door is planned again with this current code. If the door was closed while
    the call was under way, it is opened again, so that it is closed with this code.
    """
    before = booking.door(key)
    door = replace(
        enter(replace(before, intent=None), Issued(code)),
        planned_revision=revision,
        asked=asked,
        asked_user_level_id=user_level_id,
        pin_changed_at=None,
        same_pin_as="",
        drift="",
        reason="",
        detail="",
        is_muted=False,
        attempts=0,
        due_at=now + READ_BACK_WITHIN,
    )
    is_known = before.code is not None and before.code.access_code_id == code.access_code_id
    earlier_code = _earlier_code(booking, before)
    is_another = earlier_code not in ("", code.access_code_id)
    door = replace(door, last_code_id=code.access_code_id, new_code_at=now if is_another else before.new_code_at)
    earlier = (*door.residual, *((before.code,) if before.code is not None and not is_known else ()))
    door = replace(door, residual=tuple(each for each in earlier if each.access_code_id != code.access_code_id))
    lines = [] if is_known else [_code_line(code, now, request_id=request_id, adopted=adopted)]
    if is_another and door.wanted and not booking.cancelled:
        text = f"Tell the guest: a new PIN. Access code {code.access_code_id} takes the place of {earlier_code}."
        facts = {"access_code_id": code.access_code_id}
        lines.append(HistoryEntry(at=now, what="pin.changed", text=text, facts=facts))
    return change_door(booking, door, now, *lines)


def _code_line(code: AccessCode, now: datetime, *, request_id: str | None, adopted: bool) -> HistoryEntry:
    how = "was found at Seam and taken over" if adopted else "was made"
    return HistoryEntry(
        at=now,
        what="code.adopted" if adopted else "code.issued",
        text=f"Access code {code.access_code_id} {how}, from {span(code.window)}.",
        facts={"access_code_id": code.access_code_id, "request_id": request_id},
    )


def _earlier_code(booking: Booking, door: BookedDoor) -> str:
    """Return the access code whose PIN the guest may have: this door's last one, or that of a door that was left out.

    Empty if the guest can have none. An old record has no `last_code_id`: its codes count then.
    """
    given_up = (each for each in booking.doors if not each.wanted and each.key != door.key)
    for each in (door, *(given_up if door.part <= 1 else ())):
        known = (each.last_code_id, each.code.access_code_id if each.code else "")
        found = next(filter(None, known), "") or (each.residual[-1].access_code_id if each.residual else "")
        if found:
            return found
    return ""


def clear_intent(booking: Booking, key: str, *, intent_id: str, now: datetime) -> Change:
    """Record that a look found no code for an open intent, so that the door may be planned anew.

    Raises StaleRead where that intent isn't the open one any more.
    """
    door = booking.door(key)
    if door.intent is None or door.intent.intent_id != intent_id:
        raise StaleRead
    door = replace(enter(replace(door, intent=None), Scheduled(door.code)), planned_revision=None, due_at=now)
    entry = HistoryEntry(at=now, what="code.not_found", text="A look at Seam shows that no code was made.")
    return change_door(booking, door, now, entry)
