"""Where transitions end: the booking's state is drawn from its doors, and notices are added to its outbox."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.booking.door_state import DoorState, facts_of
from shared.domain.booking.notices import add_notices
from shared.domain.booking.problem_catalogue import PlainReason
from shared.domain.booking.record import (
    AccessCode,
    AlertNotice,
    BookedDoor,
    Booking,
    Change,
    HistoryEntry,
    State,
    Window,
)
from shared.domain.booking.seen_door import SeenDoor

Facts = dict[str, Any]

# A code that was just made or kept is read back at once. If the worker is killed before that, it is read after this.
READ_BACK_WITHIN: Final = timedelta(seconds=15)

# A booking has the first of these states that one of its doors has: those that need a person come first.
_VERDICT_ORDER: Final = (
    State.FAILED,
    State.WAITING,
    State.CREATING,
    State.RECEIVED,
    State.SCHEDULED,
    State.ISSUED,
    State.READY,
    State.CANCELLED,
    State.ENDED,
)
_HAS_CODES: Final = (State.ISSUED, State.READY)


class StaleRead(Exception):
    """The door changed since it was read. The caller must read it again."""


def as_seen(booking: Booking, seen: SeenDoor) -> Booking:
    """Return the booking as it stands now, if the door and the revision are still as they were seen.

    Raises StaleRead where they aren't, and KeyError where the booking has no such door any more.
    """
    is_same = (booking.revision, booking.cancelled) == (seen.booking.revision, seen.booking.cancelled)
    if not is_same or booking.door(seen.key) != seen.door:
        raise StaleRead
    return booking


def door_for_revision(booking: Booking, key: str, revision: int) -> BookedDoor:
    """Return the door as planned for `revision`. Raises StaleRead if that revision isn't wanted any more."""
    door = booking.door(key)
    if booking.revision != revision or booking.cancelled or not door.wanted:
        raise StaleRead
    return replace(door, planned_revision=revision, reason="", detail="", is_muted=False, offers=())


def enter(door: BookedDoor, state: DoorState) -> BookedDoor:
    """Return the door in another state, with the facts of that state and no others: the only place that sets one.

    Raises StaleRead while an intent is open. Only `record_code` and `clear_intent` close one.
    """
    if door.intent is not None:
        raise StaleRead
    intent, code, offers = facts_of(state)
    return replace(door, state=state.name, intent=intent, code=code, offers=offers)


def with_door(booking: Booking, door: BookedDoor) -> tuple[BookedDoor, ...]:
    """Return the booking's doors with `door` in the place of its old value."""
    return tuple(door if other.key == door.key else other for other in booking.doors)


def change_door(booking: Booking, door: BookedDoor, now: datetime, *history: HistoryEntry) -> Change:
    """Return the change that puts `door` in the place of its old value; `history` lines are about this door."""
    entries = (replace(entry, device_id=door.device_id) for entry in history)
    return change_booking(booking, replace(booking, doors=with_door(booking, door)), now, *entries)


def removal_line(code: AccessCode, now: datetime) -> HistoryEntry:
    """Return the line that tells what came of asking Seam to delete a code, with Seam's words."""
    until, name = code.window.ends_at.isoformat(timespec="minutes"), code.access_code_id
    removal = code.removal
    what = "code.not_revoked"
    if removal is None or not removal.failure:
        what = "code.removal_accepted"
        text = f"Seam accepted the deletion of access code {name}. Until that is done, it opens the door."
    elif not removal.asked:
        text = f"Access code {name} opens the door until {until}: {removal.failure.rstrip('.')}."
    elif removal.look_at is None:
        text = (
            f"Seam refused to delete access code {name}, which opens the door until {until}."
            f" Seam says: {removal.failure.rstrip('.')}."
        )
    else:
        text = f"Access code {name} was not deleted, and opens the door until {until}. {removal.failure.rstrip('.')}."
    return HistoryEntry(at=now, what=what, text=text, facts={"access_code_id": name})


def gone_line(code: AccessCode, now: datetime) -> HistoryEntry:
    """Return the line that tells that a code which Seam was asked to delete is gone."""
    name = code.access_code_id
    text = f"Access code {name} is deleted: it no longer opens the door."
    return HistoryEntry(at=now, what="code.removed", text=text, facts={"access_code_id": name})


def change_booking(before: Booking | None, after: Booking, now: datetime, *history: HistoryEntry) -> Change:
    """Return the change from `before` to `after`, with the booking's state, residual access and notices computed."""
    state, held_back_by = _verdict(before, after)
    held = after.door(held_back_by) if held_back_by else None
    after = replace(
        after,
        state=state,
        reason=held.reason if held else "",
        held_back_by=held.device_id if held and len(after.doors) > 1 else None,
        residual_access_until=_residual_until(after, now),
    )
    after = add_notices(before, after, now)
    told = after.outbox[len(before.outbox) if before else 0 :]
    history = (*history, *(_line_of(notice) for notice in told if isinstance(notice, AlertNotice)))
    if before is None or before.state is not state:
        was = before.state if before else "new"
        history = (
            *history,
            HistoryEntry(at=now, what=f"booking.{state}", text=f"The booking went from {was} to {state}."),
        )
    return Change(after, history)


def _line_of(notice: AlertNotice) -> HistoryEntry:
    if notice.raised:
        return HistoryEntry(at=notice.at, what="alert.raised", text=f"{notice.problem}: {notice.happened}")
    return HistoryEntry(at=notice.at, what="alert.resolved", text=f"{notice.problem}: the problem is gone.")


def _verdict(before: Booking | None, booking: Booking) -> tuple[State, str | None]:
    if booking.cancelled:
        return State.CANCELLED, None
    wanted = [door for door in booking.doors if door.wanted and not _is_for_later(door)]
    if not wanted:
        return State.RECEIVED, None
    worst = min(wanted, key=lambda door: _VERDICT_ORDER.index(door.state))
    if worst.state in _HAS_CODES and (before is None or before.state not in _HAS_CODES):
        # A door that has its code for an earlier revision may not get one for this revision.
        unplanned = [
            door
            for door in wanted
            if door.state in _HAS_CODES and door.planned_revision not in (None, booking.revision)
        ]
        if unplanned:
            return State.RECEIVED, unplanned[0].key
    return worst.state, worst.key


def _is_for_later(door: BookedDoor) -> bool:
    """Say whether this is a later code of a split stay whose time hasn't come: it holds nothing back."""
    return door.part > 1 and door.state is State.SCHEDULED and door.reason == PlainReason.LEAD_TIME


def _residual_until(booking: Booking, now: datetime) -> datetime | None:
    codes = [code for door in booking.doors for code in door.residual]
    if booking.cancelled:
        codes += [door.code for door in booking.doors if door.code]
    return max((code.window.ends_at for code in codes if code.window.ends_at > now), default=None)


def span(window: Window) -> str:
    """Return a window for people to read."""
    return f"{window.starts_at.isoformat(timespec='minutes')} to {window.ends_at.isoformat(timespec='minutes')}"
