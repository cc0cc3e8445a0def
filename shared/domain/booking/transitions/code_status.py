"""Records what Seam says of a code that exists: confirmed, not confirmed, changed, deleted, gone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.booking.door_state import Failed, Issued, Ready
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import (
    AccessCode,
    BookedDoor,
    Booking,
    Change,
    HistoryEntry,
    Removal,
    State,
    Window,
    on_clock_of,
)
from shared.domain.booking.transitions.change import StaleRead, change_door, enter, gone_line, removal_line, with_door
from shared.domain.booking.transitions.reissue import ask_deletions


def _with_code(booking: Booking, key: str) -> tuple[BookedDoor, AccessCode]:
    """Return the door and its code. Raises StaleRead where it has none any more."""
    door = booking.door(key)
    if door.code is None:
        raise StaleRead
    return door, door.code


def confirm_code(
    booking: Booking, key: str, *, reason: str, detail: str, due_at: datetime, now: datetime, inherited: str = ""
) -> Change:
    """Record that Seam confirms the code. `reason` and `detail` are for a problem that doesn't keep it from working.

    `inherited` is the code of the door's warning that the reason only repeats. Since this code opens the door now, Seam
    is to delete a code that a person had replaced.
    """
    booking = ask_deletions(booking, key, at=now)
    before, code = _with_code(booking, key)
    if code.window == before.asked:
        # The code has the window that was asked for: no try of that change is pending any more.
        code = replace(code, update_attempt_id="", update_failure="")
    door = replace(
        enter(before, Ready(code)),
        reason=reason,
        detail=detail,
        is_muted=False,
        attempts=0,
        due_at=due_at,
        inherited=inherited,
    )
    entry = HistoryEntry(at=now, what="code.confirmed", text=f"Seam confirms the code. {detail}".strip())
    is_news = (before.state, before.reason) != (State.READY, reason)
    return change_door(booking, door, now, *((entry,) if is_news else ()))


def record_unconfirmed_code(
    booking: Booking,
    key: str,
    *,
    reason: str,
    detail: str,
    failed: bool,
    due_at: datetime,
    now: datetime,
    inherited: str = "",
) -> Change:
    """Record what Seam says of a code that isn't confirmed: nothing yet (no reason), or why it may never be.

    `inherited` is the code of the issue of the door or its account that the reason only repeats.
    """
    before, code = _with_code(booking, key)
    door = replace(
        enter(before, Failed(code) if failed else Issued(code)),
        reason=reason,
        detail=detail,
        is_muted=False,
        due_at=due_at,
        attempts=before.attempts + 1,
        inherited=inherited,
    )
    is_news = (before.state, before.reason, before.detail) != (door.state, reason, detail)
    text = f"Not confirmed: {reason or 'not set yet'}. {detail}".strip()
    return change_door(
        booking,
        door,
        now,
        *((HistoryEntry(at=now, what="code.unconfirmed", text=text),) if is_news else ()),
    )


def stop_polling(booking: Booking, key: str, *, now: datetime) -> Change:
    """Leave a door alone until check-out: its code has ended, so Seam needn't be asked about it."""
    door = booking.door(key)
    return change_door(booking, replace(door, due_at=door.check_out), now)


def add_residual_codes(booking: Booking, key: str, codes: tuple[AccessCode, ...]) -> Booking:
    """Return the booking with `codes`, which were found at Seam, among those that open the door until they end."""
    door = booking.door(key)
    return (
        replace(booking, doors=with_door(booking, replace(door, residual=(*door.residual, *codes))))
        if codes
        else booking
    )


def remove_residual_codes(booking: Booking, key: str, gone: frozenset[str]) -> Booking:
    """Return the booking without those codes of earlier revisions that are `gone` from Seam."""
    door = booking.door(key)
    residual = tuple(code for code in door.residual if code.access_code_id not in gone)
    return replace(booking, doors=with_door(booking, replace(door, residual=residual))) if gone else booking


def record_removals(
    booking: Booking,
    key: str,
    *,
    gone: frozenset[str],
    removals: Mapping[str, Removal],
    now: datetime,
    same_pin: tuple[str, str] | None = None,
) -> Change:
    """Record a look at codes that are being deleted: those that are `gone`, and how it stands with the others.

    `same_pin` are two access codes that turned out to have one PIN: a replaced one, and the one in its place.

    It is a fact, so it is recorded even if the booking has changed since. A code that isn't among the door's residual
    ones is passed over.
    """
    door = booking.door(key)
    lines, residual = [], []
    for code in door.residual:
        name, before = code.access_code_id, code.removal
        if name in gone:
            lines.append(gone_line(code, now))
            continue
        looked_at = replace(code, removal=removals.get(name, before))
        residual.append(looked_at)
        if looked_at.removal is not None and (before is None or looked_at.removal.failure != before.failure):
            lines.append(removal_line(looked_at, now))
    is_of_door = same_pin is not None and door.code is not None and door.code.access_code_id == same_pin[1]
    if same_pin is not None and is_of_door and door.same_pin_as != same_pin[0]:
        door = replace(door, same_pin_as=same_pin[0])
        text = f"Access code {same_pin[1]} has the same PIN as access code {same_pin[0]}, which it replaces."
        lines.append(HistoryEntry(at=now, what="pin.same", text=text))
    if gone and door.state is State.WAITING and door.reason == Reason.DOOR_FULL:
        door = replace(door, due_at=now)
    return change_door(booking, replace(door, residual=tuple(residual)), now, *lines)


def record_pin_change(booking: Booking, access_code_id: str, *, at: datetime, now: datetime) -> Change:
    """Record that Seam replaced the PIN of the current code: the PIN that the guest was given opens nothing any more.

    Only the latest such moment counts, so repeats and any order give the same result. Earlier codes are passed over.
    """
    for door in booking.doors:
        if door.code is None or door.code.access_code_id != access_code_id or not door.wanted or booking.cancelled:
            continue
        if door.pin_changed_at is not None and door.pin_changed_at >= at:
            continue
        text = f"Tell the guest: a new PIN. That of access code {access_code_id} was replaced at Seam."
        entry = HistoryEntry(at=now, what="pin.replaced", text=text)
        return change_door(booking, replace(door, pin_changed_at=at), now, entry)
    return Change(booking)


def record_pin_reveal(booking: Booking, key: str, *, by: str, now: datetime) -> Change:
    """Record, before a PIN is shown, that `by` asked for it."""
    door = booking.door(key)
    code = door.code.access_code_id if door.code else "unknown"
    entry = HistoryEntry(at=now, what="pin.revealed", text=f"{by} was shown the PIN of access code {code}.")
    return change_door(booking, replace(door, pin_revealed_at=now), now, entry)


def record_pin_delivery(booking: Booking, key: str, *, access_code_id: str, to: str, now: datetime) -> Change:
    """Record that `to` has taken the PIN of this access code; nothing where the door has another code by now."""
    door = booking.door(key)
    if door.code is None or door.code.access_code_id != access_code_id:
        return Change(booking)
    entry = HistoryEntry(at=now, what="pin.taken", text=f"{to} has the PIN of access code {access_code_id}.")
    return change_door(booking, replace(door, pin_revealed_at=now), now, entry)


def record_drift(booking: Booking, key: str, drift: str, *, now: datetime) -> Change:
    """Record how the door was changed under a code that exists; empty where it fits (again)."""
    door = booking.door(key)
    if door.drift == drift:
        return Change(booking)
    text = drift or "The door's time slots fit the code again."
    return change_door(booking, replace(door, drift=drift), now, HistoryEntry(at=now, what="door.drifted", text=text))


def record_window(booking: Booking, key: str, made: Window) -> Booking:
    """Return the booking with the times that its code has at Seam now: they may have been moved since it was made."""
    door = booking.door(key)
    if door.code is None or door.code.window == made:
        return booking
    code = replace(door.code, window=on_clock_of(door.asked or door.code.window, made))
    return replace(booking, doors=with_door(booking, replace(door, code=code)))


def record_failed_update(booking: Booking, key: str, failure: str, *, now: datetime) -> Change:
    """Record that Seam's action attempt of the last change of the code's times has failed, with Seam's words.

    This moves nothing: what is true of a code is read from the code itself.
    """
    door = booking.door(key)
    if door.code is None or door.code.update_failure == failure:
        return Change(booking)
    name = door.code.access_code_id
    says = failure.rstrip(".")
    text = f"A change of the times of access code {name}, which Seam had accepted, has failed. Seam says: {says}."
    entry = HistoryEntry(at=now, what="code.not_changed", text=text, facts={"access_code_id": name})
    return change_door(booking, replace(door, code=replace(door.code, update_failure=failure)), now, entry)


def drop_code(booking: Booking, key: str, *, now: datetime) -> Change:
    """Record that Seam no longer has the code although the stay goes on; nothing else takes a wanted code away."""
    door = booking.door(key)
    gone = door.code.access_code_id if door.code else "unknown"
    door = replace(
        enter(door, Failed()),
        reason=Reason.CODE_GONE,
        detail=f"Access code {gone} is not at Seam any more.",
        is_muted=False,
        due_at=door.check_out,
    )
    return change_door(booking, door, now, HistoryEntry(at=now, what="code.lost", text=door.detail))
