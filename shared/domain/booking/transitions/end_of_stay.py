"""How a door ends: closed after a cancellation, or ended after check-out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from shared.domain.booking.door_state import Cancelled, Ended
from shared.domain.booking.record import Booking, Change, HistoryEntry, Removal
from shared.domain.booking.transitions.change import StaleRead, change_door, enter, gone_line, removal_line


def close_door(
    booking: Booking,
    key: str,
    *,
    gone: frozenset[str],
    erase_at: datetime,
    now: datetime,
    removals: Mapping[str, Removal] = MappingProxyType({}),
) -> Change:
    """Close a door of a cancelled booking, or one that a later revision left out. Raises StaleRead for another door.

    Codes that are `gone` from Seam are dropped; the others stay as residual access until they end. `removals` has, by
    access code, what came of asking Seam to delete it now. `erase_at` is when the booking's personal data is erased.
    """
    door = before = booking.door(key)
    if not booking.cancelled and door.wanted:
        raise StaleRead
    known = (*door.residual, *((door.code,) if door.code else ()))
    left = (code for code in known if code.access_code_id not in gone)
    codes = tuple(replace(code, removal=removals.get(code.access_code_id, code.removal)) for code in left)
    door = replace(
        enter(door, Cancelled()),
        reason="",
        detail="",
        is_muted=False,
        residual=codes,
        planned_revision=None,
        due_at=erase_at,
    )
    if door.state is before.state and codes == before.residual:
        return Change(booking)
    until = max((code.window.ends_at for code in codes if code.window.ends_at > now), default=None)
    text = (
        f"Closed; a code still opens the door until {until.isoformat()}."
        if until
        else "Closed; no code of ours opens the door."
    )
    # A code that was deleted at once gets no line of its own: the line `door.closed` says it.
    awaited = (code for code in before.residual if code.removal is not None and code.access_code_id in gone)
    lines = [gone_line(code, now) for code in awaited]
    lines += [removal_line(code, now) for code in codes if code.access_code_id in removals]
    return change_door(booking, door, now, *lines, HistoryEntry(at=now, what="door.closed", text=text))


def end_stay(booking: Booking, key: str, *, erase_at: datetime, now: datetime, reason: str = "") -> Change:
    """Close a door whose check-out has passed; `reason` says what was wrong with it.

    `erase_at` is when the booking's personal data is erased.
    """
    before = booking.door(key)
    ended = enter(before, Ended(before.code))
    door = replace(ended, reason=reason, detail="", is_muted=False, due_at=erase_at)
    return change_door(booking, door, now, HistoryEntry(at=now, what="door.ended", text="Check-out has passed."))
