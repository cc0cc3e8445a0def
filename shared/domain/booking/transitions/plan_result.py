"""What a plan makes of a door (scheduled, waiting, failed, split), and of a code of an earlier revision."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.booking.advice import window_text
from shared.domain.booking.door_state import Failed, Issued, Received, Scheduled, Waiting
from shared.domain.booking.known_doors import KnownDoor, recalled
from shared.domain.booking.problem_catalogue import ClearedBy, Reason, is_cleared_by
from shared.domain.booking.record import (
    AccessCode,
    BookedDoor,
    Booking,
    Change,
    HistoryEntry,
    Removal,
    State,
    Window,
)
from shared.domain.booking.stay_times import over_at
from shared.domain.booking.transitions.change import (
    READ_BACK_WITHIN,
    Facts,
    StaleRead,
    change_booking,
    change_door,
    door_for_revision,
    enter,
    removal_line,
    span,
    with_door,
)
from shared.domain.booking.transitions.reissue import ask_deletions
from shared.domain.matching.manual_choice import SlotOffer


def record_door_facts(
    booking: Booking, key: str, *, name: str, check_in: datetime, check_out: datetime, time_zone: str | None
) -> Booking:
    """Return the booking with what was read from the door: its name and zone, and by these the stay as instants."""
    door = replace(booking.door(key), name=name, check_in=check_in, check_out=check_out, time_zone=time_zone)
    return replace(booking, doors=with_door(booking, door))


def recall_door_facts(booking: Booking, key: str, known: KnownDoor) -> Booking:
    """Return the booking with the name and the zone by which its door is `known` elsewhere, where it has none yet."""
    return replace(booking, doors=with_door(booking, recalled(booking.door(key), known)))


# A door in one of these states has no code yet. If the installer changes its slots, it is planned again.
WITHOUT_A_CODE: Final = (State.WAITING, State.SCHEDULED)


def schedule(
    booking: Booking, key: str, *, revision: int, until: datetime, reason: str, facts: Facts, now: datetime
) -> Change:
    """Leave the door until `until`: its creation window isn't open, or its budget of creates is used up."""
    door = door_for_revision(booking, key, revision)
    door = replace(enter(door, Scheduled(door.code)), reason=reason, due_at=until, attempts=0)
    text = f"The code will be made at {until.isoformat(timespec='seconds')} ({reason})."
    return change_door(booking, door, now, HistoryEntry(at=now, what="door.scheduled", text=text, facts=facts))


def wait(
    booking: Booking,
    key: str,
    *,
    revision: int,
    reason: str,
    detail: str,
    until: datetime,
    facts: Facts,
    now: datetime,
    offers: tuple[SlotOffer, ...] = (),
) -> Change:
    """Put the door into the waiting room: nothing fits now, and it is tried again at `until`.

    `offers` are slots that a person may choose all the same. Where the lock is full, a code that a person had replaced
    is deleted before there is another.
    """
    if reason == Reason.DOOR_FULL:
        booking = ask_deletions(booking, key, at=now)
    before = booking.door(key)
    door = door_for_revision(booking, key, revision)
    if door.code is not None:
        # A door that waits has no code: when nothing fits any more, the code is set aside first.
        raise StaleRead
    door = replace(enter(door, Waiting(offers)), reason=reason, detail=detail, due_at=until, attempts=0)
    text = f"Waiting: {reason}. {detail}".strip()
    is_news = (before.state, before.reason, before.detail) != (State.WAITING, reason, detail)
    entry = HistoryEntry(at=now, what="door.waiting", text=text, facts=facts)
    return change_door(booking, door, now, *((entry,) if is_news else ()))


def wake(booking: Booking, key: str, *, now: datetime) -> Change:
    """Make a door due now that has no code yet: the installer changed it. Other doors stay as they are."""
    door = booking.door(key)
    if door.state not in WITHOUT_A_CODE:
        return Change(booking)
    return Change(replace(booking, doors=with_door(booking, replace(door, due_at=now))))


def resume(booking: Booking, key: str, *, now: datetime) -> Change:
    """Make a door due now that waits for its next try because Seam was away. Other doors stay as they are."""
    door = booking.door(key)
    waits_for_seam = is_cleared_by(door.reason, ClearedBy.SEAM_ANSWERING) and door.state is not State.FAILED
    if not waits_for_seam or door.due_at is None or door.due_at <= now:
        return Change(booking)
    return Change(replace(booking, doors=with_door(booking, replace(door, due_at=now))))


def fail(
    booking: Booking,
    key: str,
    *,
    revision: int,
    reason: str,
    detail: str,
    facts: Facts,
    now: datetime,
    offers: tuple[SlotOffer, ...] = (),
) -> Change:
    """Give the door up until a person acts; `offers` are slots that a person may choose."""
    door = door_for_revision(booking, key, revision)
    door = replace(enter(door, Failed(door.code, offers)), reason=reason, detail=detail, due_at=over_at(booking, door))
    text = f"A person must act: {reason}. {detail}".strip()
    return change_door(booking, door, now, HistoryEntry(at=now, what="door.failed", text=text, facts=facts))


def record_failed_attempt(
    booking: Booking,
    key: str,
    *,
    reason: str,
    detail: str,
    until: datetime,
    tell: bool,
    now: datetime,
) -> Change:
    """Record a failed try that is repeated at `until`; unless `tell`, its reason isn't for people yet.

    A door that has a reason already (waiting, failed, a code that is late) keeps it: a failed look doesn't show whether
    that problem is gone.
    """
    before = booking.door(key)
    door = replace(before, attempts=before.attempts + 1, due_at=until)
    is_making = before.state in (State.RECEIVED, State.SCHEDULED, State.CREATING)
    was_found_at_code = is_cleared_by(before.reason, ClearedBy.LOOK_AT_CODE)
    if is_making or (tell and before.state in (State.ISSUED, State.READY) and not was_found_at_code):
        door = enter(door, Scheduled(door.code)) if before.state is State.RECEIVED else door
        door = replace(door, reason=reason, detail=detail, is_muted=not tell)
    text = f"Try {door.attempts} failed ({reason}): {detail} Next try at {until.isoformat(timespec='seconds')}."
    return change_door(booking, door, now, HistoryEntry(at=now, what="door.try_failed", text=text))


def split_stay(booking: Booking, key: str, *, revision: int, parts: int, now: datetime) -> Change:
    """Let `parts` consecutive codes serve the door, each planned on its own; the first takes over the current code."""
    door = door_for_revision(booking, key, revision)
    numbers = range(1, parts + 1)
    known = {other.part: other for other in booking.doors if other.device_id == door.device_id and other.part}
    first = known.get(1) or door
    fresh = replace(enter(first, Received(first.code)), part=1, planned_revision=None, due_at=now)
    made = [
        fresh if number == 1 else known.get(number) or BookedDoor(device_id=door.device_id, part=number, name=door.name)
        for number in numbers
    ]
    made = [replace(each, wanted=True, planned_revision=None, due_at=now) for each in made]
    surplus = [replace(each, wanted=False, due_at=now) for number, each in known.items() if number > parts]
    others = [other for other in booking.doors if other.device_id != door.device_id]
    text = f"The stay is longer than one code can work: {parts} consecutive codes will serve it."
    entry = HistoryEntry(at=now, what="door.split", text=text, device_id=door.device_id)
    return change_booking(booking, replace(booking, doors=(*others, *made, *surplus)), now, entry)


def leave_out(booking: Booking, key: str, *, revision: int, now: datetime) -> Change:
    """Give up a later code of a split stay that fewer codes serve now."""
    door = replace(door_for_revision(booking, key, revision), wanted=False, due_at=now)
    return change_door(booking, door, now)


def record_changed_window(
    booking: Booking,
    key: str,
    code: AccessCode,
    *,
    revision: int,
    asked: Window,
    now: datetime,
    request_id: str | None = None,
) -> Change:
    """Record that the door's code was changed to another window at Seam, by the call of this id."""
    door = door_for_revision(booking, key, revision)
    if door.code is None or door.code.access_code_id != code.access_code_id:
        raise StaleRead
    door = replace(enter(door, Issued(code)), asked=asked, attempts=0, due_at=now + READ_BACK_WITHIN)
    text = f"Access code {code.access_code_id} was changed to {span(asked)}."
    return change_door(
        booking, door, now, HistoryEntry(at=now, what="code.altered", text=text, facts={"request_id": request_id})
    )


def supersede_code(
    booking: Booking, key: str, *, revision: int, is_gone: bool, now: datetime, removal: Removal | None = None
) -> Change:
    """Set the door's code aside because the stay's window is another now.

    Unless it `is_gone` from Seam, it stays as residual access until it ends. `removal` is what came of asking Seam to
    delete it, if it was asked.
    """
    door = door_for_revision(booking, key, revision)
    if door.code is None:
        return Change(booking)
    code = replace(door.code, removal=removal)
    works = window_text(code.window, door.time_zone)
    text = (
        f"Access code {code.access_code_id} was taken back."
        if is_gone
        else f"Access code {code.access_code_id} is of an earlier revision and opens the door {works}."
    )
    residual = door.residual if is_gone else (*door.residual, code)
    door = replace(enter(door, Received()), planned_revision=None, residual=residual, due_at=now)
    lines = (removal_line(code, now),) if removal is not None else ()
    return change_door(booking, door, now, *lines, HistoryEntry(at=now, what="code.retired", text=text))


def keep_code(booking: Booking, key: str, *, revision: int, asked: Window, now: datetime) -> Change:
    """Record that the current code serves the newer revision too: nothing is made."""
    before = booking.door(key)
    # What a look at the code found holds until the next look. So it is kept, and isn't news again.
    is_found = before.state is State.READY or is_cleared_by(before.reason, ClearedBy.LOOK_AT_CODE)
    door, code = door_for_revision(booking, key, revision), before.code
    if code is None:
        raise StaleRead
    if is_found:
        door = replace(door, reason=before.reason, detail=before.detail if before.reason else "")
    else:
        door = enter(door, Issued(code))
    door = replace(door, asked=asked, attempts=0, due_at=now + READ_BACK_WITHIN)
    text = "The current code serves this revision too."
    return change_door(booking, door, now, HistoryEntry(at=now, what="code.kept", text=text))
