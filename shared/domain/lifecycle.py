"""How a booking moves: every transition is a pure function from a booking to a `Change`.

Nobody else builds a changed `Booking`: each transition ends in `_settled`, which draws the verdict over all doors and
writes into the outbox what the booking system and the ops team are to be told. What is told is so decided in the same
moment as the state, and stored with it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.domain import notices
from shared.domain.bookings import BookingMessage, MessageType, Stay, StayTime, WallTime
from shared.domain.records import (
    AccessCode,
    BookedDoor,
    Booking,
    Change,
    HistoryEntry,
    Intent,
    Notice,
    State,
    Window,
)

# A code is read back at once; this is when it is read if that was cut off.
READ_BACK_WITHIN: Final = timedelta(seconds=15)
# Where a door has nothing more to come.
_OVER: Final = (State.CANCELLED, State.ENDED)
# How many messages a booking remembers to know a repeat; its revision alone would already stop older ones.
_SEEN_MESSAGES: Final = 50
# The last place on Earth where a wall clock shows a given time does so 12 hours after UTC does.
_LATEST_ZONE: Final = timedelta(hours=12)
# The verdict over several doors is the one that needs a person most, then the one that is furthest behind.
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


Facts = dict[str, Any]


class Repeated(Exception):
    """The same message was applied before."""


class Superseded(Exception):
    """A newer revision, or an earlier message of the same one, has won."""


class Overtaken(Exception):
    """The door changed since it was looked at; whoever holds the old view must look again."""


def accept(
    before: Booking | None,
    message: BookingMessage,
    *,
    stay: Stay | None,
    device_ids: tuple[str, ...],
    lead_time: timedelta | None,
    now: datetime,
) -> Change:
    """Apply a booking message. The highest revision wins; of equal ones the first, unless the later cancels.

    Raises Repeated or Superseded where nothing changes.
    """
    mark = f"{message.source}\x1f{message.message_id}"
    cancels = message.type is MessageType.CANCELLED
    if before is not None:
        if mark in before.seen_messages:
            raise Repeated
        is_older = message.revision < before.revision
        is_no_news = message.revision == before.revision and (before.cancelled or not cancels)
        if is_older or is_no_news:
            raise Superseded
    base = before or Booking(booking_id=message.booking_id, revision=message.revision)
    booking = replace(
        base,
        revision=message.revision,
        cancelled=cancels,
        seen_messages=(*base.seen_messages, mark)[-_SEEN_MESSAGES:],
    )
    if not cancels:
        booking = replace(
            booking,
            stay=stay,
            lead_time=lead_time,
            label=message.label,
            doors=_doors_for(base.doors, device_ids),
        )
    booking = replace(booking, doors=tuple(replace(door, due_at=now, attempts=0) for door in booking.doors))
    entry = HistoryEntry(
        at=now,
        what=str(message.type),
        text=f"Message {message.message_id} (revision {message.revision}) was applied.",
        facts={
            "revision": message.revision,
            "source": message.source,
            "message_id": message.message_id,
        },
    )
    return _settled(before, booking, now, entry)


def _doors_for(before: tuple[BookedDoor, ...], device_ids: tuple[str, ...]) -> tuple[BookedDoor, ...]:
    known = {door.device_id: door for door in before}
    wanted = [replace(known.get(device_id) or BookedDoor(device_id=device_id), wanted=True) for device_id in device_ids]
    wanted = [replace(door, state=State.RECEIVED) if door.state in _OVER else door for door in wanted]
    dropped = [replace(door, wanted=False) for door in before if door.device_id not in device_ids]
    return (*wanted, *dropped)


def schedules(
    booking: Booking, device_id: str, *, revision: int, until: datetime, reason: str, facts: Facts, now: datetime
) -> Change:
    """Leave the door until `until`: its creation window isn't open, or its budget of creates is used up."""
    door = _planned(booking, device_id, revision)
    door = replace(door, state=State.SCHEDULED, reason=reason, due_at=until, attempts=0)
    text = f"The code will be made at {until.isoformat(timespec='seconds')} ({reason})."
    return _moved(booking, door, now, HistoryEntry(at=now, what="door.scheduled", text=text, facts=facts))


def waits(
    booking: Booking,
    device_id: str,
    *,
    revision: int,
    reason: str,
    detail: str,
    until: datetime,
    facts: Facts,
    now: datetime,
) -> Change:
    """Put the door into the waiting room: nothing fits now, and it is tried again at `until`."""
    before = booking.door(device_id)
    door = _planned(booking, device_id, revision)
    door = replace(door, state=State.WAITING, reason=reason, detail=detail, due_at=until, attempts=0)
    text = f"Waiting: {reason}. {detail}".strip()
    is_news = (before.state, before.reason, before.detail) != (State.WAITING, reason, detail)
    entry = HistoryEntry(at=now, what="door.waiting", text=text, facts=facts)
    return _moved(booking, door, now, *((entry,) if is_news else ()))


def fails(
    booking: Booking, device_id: str, *, revision: int, reason: str, detail: str, facts: Facts, now: datetime
) -> Change:
    """Give the door up until a person acts."""
    door = _planned(booking, device_id, revision)
    over_at = door.check_out or (surely_over_at(booking.stay) if booking.stay else None)
    door = replace(door, state=State.FAILED, reason=reason, detail=detail, due_at=over_at)
    text = f"A person must act: {reason}. {detail}".strip()
    return _moved(booking, door, now, HistoryEntry(at=now, what="door.failed", text=text, facts=facts))


def stumbles(
    booking: Booking,
    device_id: str,
    *,
    reason: str,
    detail: str,
    until: datetime,
    tell: bool,
    now: datetime,
) -> Change:
    """Record a failed try that is repeated at `until`; unless `tell`, its reason isn't for people yet.

    A door that already has something to tell (waiting, failed) keeps it: a failed look changes nothing about that.
    """
    before = booking.door(device_id)
    door = replace(before, attempts=before.attempts + 1, due_at=until)
    is_making = before.state in (State.RECEIVED, State.SCHEDULED, State.CREATING)
    if is_making or (tell and before.state in (State.ISSUED, State.READY)):
        state = State.SCHEDULED if before.state is State.RECEIVED else before.state
        door = replace(door, state=state, reason=reason, detail=detail, is_muted=not tell)
    text = f"Try {door.attempts} failed ({reason}): {detail} Next try at {until.isoformat(timespec='seconds')}."
    return _moved(booking, door, now, HistoryEntry(at=now, what="door.try_failed", text=text))


def retires(booking: Booking, device_id: str, *, revision: int, now: datetime) -> Change:
    """Set the door's code aside because the stay's window is another now: it stays as residual access until it ends."""
    door = _planned(booking, device_id, revision)
    if door.code is None:
        return Change(booking)
    text = f"Access code {door.code.access_code_id} is of an earlier revision and opens the door until it ends."
    door = replace(
        door,
        planned_revision=None,
        state=State.RECEIVED,
        residual=(*door.residual, door.code),
        code=None,
    )
    return _moved(booking, door, now, HistoryEntry(at=now, what="code.retired", text=text))


def keeps(booking: Booking, device_id: str, *, revision: int, asked: Window, now: datetime) -> Change:
    """Record that the code at hand serves the newer revision too: nothing is made."""
    door = replace(_planned(booking, device_id, revision), state=State.ISSUED, asked=asked, attempts=0)
    door = replace(door, due_at=now + READ_BACK_WITHIN)
    text = "The code at hand serves this revision too."
    return _moved(booking, door, now, HistoryEntry(at=now, what="code.kept", text=text))


def intends(
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

    `seen_door` is the door as it stood before the look at Seam that found nothing: it is the fence. Raises Overtaken if
    anybody has moved the door since, or the booking was cancelled or changed.
    """
    if booking.door(seen_door.device_id) != seen_door or seen_door.intent is not None:
        raise Overtaken
    door = _planned(booking, seen_door.device_id, revision)
    door = replace(door, state=State.CREATING, intent=intent, asked=intent.window, due_at=due_at)
    text = f"Asking Seam for a code from {_span(intent.window)}."
    return _moved(booking, door, now, HistoryEntry(at=now, what="code.requested", text=text, facts=facts))


def issues(
    booking: Booking,
    device_id: str,
    code: AccessCode,
    *,
    revision: int | None,
    asked: Window,
    adopted: bool,
    now: datetime,
) -> Change:
    """Record that the access code exists, by our create or found by a look (`adopted`). Closes the intent.

    A fact, whatever became of the booking meanwhile: `revision` is what the code was made for, and if that isn't the
    booking's any more, the door is planned again with this code at hand.
    """
    before = booking.door(device_id)
    door = replace(
        before,
        planned_revision=revision,
        intent=None,
        code=code,
        asked=asked,
        reason="",
        detail="",
        is_muted=False,
        attempts=0,
        due_at=now + READ_BACK_WITHIN,
    )
    if door.wanted and not booking.cancelled:
        door = replace(door, state=State.ISSUED)
    is_known = before.code is not None and before.code.access_code_id == code.access_code_id
    if before.code is not None and not is_known:
        door = replace(door, residual=(*door.residual, before.code))
    how = "was found at Seam and taken over" if adopted else "was made"
    entry = HistoryEntry(
        at=now,
        what="code.adopted" if adopted else "code.issued",
        text=f"Access code {code.access_code_id} {how}, from {_span(code.window)}.",
        facts={"access_code_id": code.access_code_id},
    )
    return _moved(booking, door, now, *(() if is_known else (entry,)))


def nothing_made(booking: Booking, device_id: str, *, intent_id: str, now: datetime) -> Change:
    """Record that a look found no code for an open intent, so that the door may be planned anew.

    Raises Overtaken where that intent isn't the open one any more.
    """
    door = booking.door(device_id)
    if door.intent is None or door.intent.intent_id != intent_id:
        raise Overtaken
    state = State.SCHEDULED if door.wanted and not booking.cancelled else door.state
    door = replace(door, intent=None, state=state, planned_revision=None, due_at=now)
    entry = HistoryEntry(at=now, what="code.not_found", text="A look at Seam shows that no code was made.")
    return _moved(booking, door, now, entry)


def confirms(booking: Booking, device_id: str, *, reason: str, detail: str, now: datetime) -> Change:
    """Record that Seam confirms the code; `reason` says what is odd about it all the same."""
    before = booking.door(device_id)
    door = replace(
        before,
        state=State.READY,
        reason=reason,
        detail=detail,
        is_muted=False,
        attempts=0,
        due_at=before.check_out or (before.code.window.ends_at if before.code else None),
    )
    entry = HistoryEntry(at=now, what="code.confirmed", text=f"Seam confirms the code. {detail}".strip())
    is_news = (before.state, before.reason) != (State.READY, reason)
    return _moved(booking, door, now, *((entry,) if is_news else ()))


def unconfirmed(
    booking: Booking,
    device_id: str,
    *,
    reason: str,
    detail: str,
    failed: bool,
    due_at: datetime,
    now: datetime,
) -> Change:
    """Record what Seam says of a code that isn't confirmed: nothing yet (no reason), or why it may never be."""
    before = booking.door(device_id)
    door = replace(
        before,
        state=State.FAILED if failed else State.ISSUED,
        reason=reason,
        detail=detail,
        is_muted=False,
        due_at=due_at,
        attempts=before.attempts + 1,
    )
    is_news = (before.state, before.reason, before.detail) != (door.state, reason, detail)
    text = f"Not confirmed: {reason or 'not set yet'}. {detail}".strip()
    return _moved(
        booking,
        door,
        now,
        *((HistoryEntry(at=now, what="code.unconfirmed", text=text),) if is_news else ()),
    )


def rests(booking: Booking, device_id: str, *, now: datetime) -> Change:
    """Leave a door alone until check-out: its code's window is over, and what Seam says of it matters no more."""
    door = booking.door(device_id)
    return _moved(booking, replace(door, due_at=door.check_out), now)


def loses_code(booking: Booking, device_id: str, *, now: datetime) -> Change:
    """Record that Seam no longer has the code although the stay goes on."""
    door = booking.door(device_id)
    gone = door.code.access_code_id if door.code else "unknown"
    door = replace(
        door,
        code=None,
        state=State.FAILED,
        reason="code_gone",
        detail=f"Access code {gone} is not at Seam any more.",
        is_muted=False,
        due_at=door.check_out,
    )
    return _moved(booking, door, now, HistoryEntry(at=now, what="code.lost", text=door.detail))


def withdraws(booking: Booking, device_id: str, *, now: datetime) -> Change:
    """Close a door of a cancelled booking, or one a later revision left out: its code stays as residual access."""
    door = booking.door(device_id)
    codes = (*door.residual, *((door.code,) if door.code else ()))
    door = replace(door, state=State.CANCELLED, reason="", detail="", code=None, residual=codes, due_at=None)
    until = max((code.window.ends_at for code in codes if code.window.ends_at > now), default=None)
    text = (
        f"Closed; a code still opens the door until {until.isoformat()}."
        if until
        else "Closed; no code opens the door."
    )
    return _moved(booking, door, now, HistoryEntry(at=now, what="door.closed", text=text))


def ends(booking: Booking, device_id: str, *, now: datetime) -> Change:
    """Close a door whose check-out has passed."""
    door = replace(booking.door(device_id), state=State.ENDED, reason="", detail="", due_at=None)
    return _moved(booking, door, now, HistoryEntry(at=now, what="door.ended", text="Check-out has passed."))


def retried(booking: Booking, *, now: datetime) -> Change:
    """Plan every unfinished door again at once, because a person asked for it."""
    doors = tuple(
        replace(door, planned_revision=None, due_at=now, attempts=0)
        if door.wanted and door.state not in (*_OVER, State.READY)
        else door
        for door in booking.doors
    )
    entry = HistoryEntry(at=now, what="booking.retried", text="A person asked to try again now.")
    return _settled(booking, replace(booking, doors=doors), now, entry)


def told(booking: Booking, handed_over: tuple[Notice, ...]) -> Change:
    """Take what was handed over out of the outbox. Two workers that told the same take it out once."""
    rest = tuple(notice for notice in booking.outbox if notice not in handed_over)
    return Change(replace(booking, outbox=rest))


def knows_times(
    booking: Booking,
    device_id: str,
    *,
    check_in: datetime,
    check_out: datetime,
    time_zone: str | None,
) -> Booking:
    """Return the booking with the door's stay as instants; `time_zone` is the lock's."""
    door = replace(booking.door(device_id), check_in=check_in, check_out=check_out, time_zone=time_zone)
    return replace(booking, doors=_with(booking, door))


def surely_over_at(stay: Stay) -> datetime:
    """Return an instant at which the stay has ended in whatever zone its door is."""
    return _upper_bound(stay.check_out)


def _upper_bound(moment: StayTime) -> datetime:
    if isinstance(moment, WallTime):
        return moment.at.replace(tzinfo=UTC) + _LATEST_ZONE
    return moment.at


def _planned(booking: Booking, device_id: str, revision: int) -> BookedDoor:
    """Return the door as answering to `revision`. Raises Overtaken if that isn't what is wanted any more."""
    door = booking.door(device_id)
    if booking.revision != revision or booking.cancelled or not door.wanted:
        raise Overtaken
    return replace(door, planned_revision=revision, reason="", detail="", is_muted=False)


def _with(booking: Booking, door: BookedDoor) -> tuple[BookedDoor, ...]:
    return tuple(door if other.device_id == door.device_id else other for other in booking.doors)


def _moved(booking: Booking, door: BookedDoor, now: datetime, *history: HistoryEntry) -> Change:
    entries = (replace(entry, device_id=door.device_id) for entry in history)
    return _settled(booking, replace(booking, doors=_with(booking, door)), now, *entries)


def _settled(before: Booking | None, after: Booking, now: datetime, *history: HistoryEntry) -> Change:
    state, held_back_by = _verdict(after)
    held = after.door(held_back_by) if held_back_by else None
    after = replace(
        after,
        state=state,
        reason=held.reason if held else "",
        held_back_by=held_back_by if len(after.doors) > 1 else None,
        residual_access_until=_residual_until(after, now),
    )
    after = notices.added(before, after, now)
    if before is None or before.state is not state:
        was = before.state if before else "new"
        history = (
            *history,
            HistoryEntry(at=now, what=f"booking.{state}", text=f"The booking went from {was} to {state}."),
        )
    return Change(after, history)


def _verdict(booking: Booking) -> tuple[State, str | None]:
    if booking.cancelled:
        return State.CANCELLED, None
    wanted = [door for door in booking.doors if door.wanted]
    if not wanted:
        return State.RECEIVED, None
    worst = min(wanted, key=lambda door: _VERDICT_ORDER.index(door.state))
    return worst.state, worst.device_id


def _residual_until(booking: Booking, now: datetime) -> datetime | None:
    codes = [code for door in booking.doors for code in door.residual]
    if booking.cancelled:
        codes += [door.code for door in booking.doors if door.code]
    return max((code.window.ends_at for code in codes if code.window.ends_at > now), default=None)


def _span(window: Window) -> str:
    return f"{window.starts_at.isoformat(timespec='minutes')} to {window.ends_at.isoformat(timespec='minutes')}"
