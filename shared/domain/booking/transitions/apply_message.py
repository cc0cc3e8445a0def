"""What comes from outside: a message of the booking system, or a person's order to try again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.door_state import Received
from shared.domain.booking.message_order import (
    Verdict,
    content_entry,
    given_revision,
    identity_of,
    judge,
    revision_after,
    stands_as_asked,
)
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.record import OVER, BookedDoor, Booking, Change, HistoryEntry, Notice, State
from shared.domain.booking.transitions.change import change_booking, enter
from shared.domain.booking.transitions.choose_slot import ended_choices
from shared.domain.entry_ids import latest
from shared.domain.messages.message import BookingMessage, MessageType, asked_of
from shared.domain.stay.clock_changes import clock_change_notes
from shared.domain.stay.stay import Stay, as_booked

# How many messages a booking remembers, to recognise repeats. Older ones are stopped by the revision alone.
_SEEN_MESSAGES: Final = 50


class Repeated(Exception):
    """The same message was applied before."""


class Superseded(Exception):
    """A newer message, or an earlier one of the same revision, has won."""


def apply_message(
    before: Booking | None,
    message: BookingMessage,
    *,
    stay: Stay | None,
    device_ids: tuple[str, ...],
    lead_time: timedelta | None,
    now: datetime,
    arrival: str = "",
) -> Change:
    """Apply a booking message. `shared.domain.booking.message_order` says which message wins.

    `arrival` is the id of its stream entry. The change is no news where the message says what is known already.
    Raises Repeated or Superseded where nothing changes, and InvalidMessage where a person must decide.
    """
    if before is not None:
        is_same = stands_as_asked(before, message, stay=stay, device_ids=device_ids) and lead_time == before.lead_time
        match judge(before, message, arrival=arrival, asks_for_the_same=is_same):
            case Verdict.NEWS:
                pass
            case Verdict.KNOWN:
                return Change(_with_arrival(before, message, arrival), is_news=False)
            case Verdict.REPEATED:
                raise Repeated
            case Verdict.SUPERSEDED:
                raise Superseded
    booking = _noted(before, message, arrival)
    if message.type is not MessageType.CANCELLED:
        doors_before, stay_before = (before.doors, before.stay) if before is not None else ((), None)
        booking = replace(
            booking,
            stay=stay,
            lead_time=lead_time,
            label=message.label,
            doors=_doors_for(doors_before, device_ids, keeps_choices=stay == stay_before),
        )
    booking = replace(booking, doors=tuple(_due_now(booking, door, now) for door in booking.doors))
    return change_booking(before, booking, now, _line_of(booking, message, now), *ended_choices(before, booking, now))


def _noted(before: Booking | None, message: BookingMessage, arrival: str) -> Booking:
    """Return the booking with the message's identity and revision, before its stay and doors are changed."""
    base = before or Booking(booking_id=message.booking_id, revision=message.revision or 0)
    booking = replace(
        _with_arrival(base, message, arrival),
        revision=revision_after(before, message) if before is not None else base.revision,
        cancelled=message.type is MessageType.CANCELLED,
        is_forgotten=False,
        seen_messages=(*base.seen_messages, identity_of(message))[-_SEEN_MESSAGES:],
        seen_contents=(*base.seen_contents, content_entry(message))[-_SEEN_MESSAGES:],
    )
    return _with_revision(base, booking, message)


def _line_of(booking: Booking, message: BookingMessage, now: datetime) -> HistoryEntry:
    without = f"without a revision, was applied as revision {booking.revision}"
    how = without if message.revision is None else f"revision {message.revision}, was applied"
    stay = as_booked(booking.stay) if booking.stay is not None and message.type is not MessageType.CANCELLED else None
    notes = clock_change_notes(stay.check_in, stay.check_out) if stay is not None else []
    return HistoryEntry(
        at=now,
        what="message.applied",
        text=" ".join((f"{message.type}, {how}.", *notes)),
        facts={
            "revision": booking.revision if message.revision is None else message.revision,
            "source": message.source,
            "message_id": message.message_id,
        },
    )


def _with_arrival(booking: Booking, message: BookingMessage, arrival: str) -> Booking:
    """Return the booking with the message's stream entry as its newest, and as its cancellation if it is one."""
    newest = latest(arrival, booking.newest_entry)
    if message.type is MessageType.CANCELLED and message.revision is None:
        return replace(booking, newest_entry=newest, cancelled_entry=latest(arrival, booking.cancelled_entry))
    return replace(booking, newest_entry=newest)


def _with_revision(base: Booking, booking: Booking, message: BookingMessage) -> Booking:
    """Return the booking with the revision that the message gave, and with what it asks for."""
    asked = asked_of(message)
    if message.type is MessageType.CANCELLED:
        # A cancellation with a revision of its own may overtake the booking of that revision, which isn't known then.
        asked = base.asked if message.revision in (None, given_revision(base)) else ""
    if message.revision is None:
        return replace(booking, asked=asked)
    return replace(booking, asked=asked, revision_offset=booking.revision - message.revision)


def _doors_for(
    before: tuple[BookedDoor, ...], device_ids: tuple[str, ...], *, keeps_choices: bool
) -> tuple[BookedDoor, ...]:
    """Return the booking's doors after a message. A slot was chosen for one stay at one door, and ends with either."""
    before = before if keeps_choices else tuple(replace(door, choice=None) for door in before)
    wanted = []
    for device_id in device_ids:
        known = [_anew(door) for door in before if door.device_id == device_id]
        wanted += known or [BookedDoor(device_id=device_id)]
    wanted = [_reopened(door) for door in wanted]
    dropped = [replace(door, wanted=False, choice=None) for door in before if door.device_id not in device_ids]
    return (*wanted, *dropped)


def _anew(door: BookedDoor) -> BookedDoor:
    """Return a door that is wanted, without the instants of its stay: they are computed when it is planned."""
    return replace(door, wanted=True, check_in=None, check_out=None)


def _reopened(door: BookedDoor) -> BookedDoor:
    """Return a door that is wanted, open again where it was closed. An open intent is looked up first."""
    return enter(door, Received(door.code)) if door.state in OVER and door.intent is None else door


def _due_now(booking: Booking, door: BookedDoor, now: datetime) -> BookedDoor:
    """Return the door as due now, if there is something to do for it; otherwise unchanged."""
    due = replace(door, due_at=now, attempts=0)
    return door if next_step(booking, due, now) in (Step.NOTHING, Step.ERASE) else due


def retry(booking: Booking, *, now: datetime, by: str = "", reason: str = "") -> Change:
    """Work on every unfinished door now, because a person asked for it: plan it again, or read its code if it has one.

    `by` is who asked and `reason` why, where that is known.
    """
    doors = tuple(
        replace(door, planned_revision=door.planned_revision if door.code else None, due_at=now, attempts=0)
        if door.wanted and door.state not in (*OVER, State.READY)
        else door
        for door in booking.doors
    )
    why = f": {reason}" if reason else "."
    entry = HistoryEntry(at=now, what="booking.retried", text=f"{by or 'A person'} asked to try again now{why}")
    return change_booking(booking, replace(booking, doors=doors), now, entry)


def clear_published(booking: Booking, handed_over: tuple[Notice, ...]) -> Change:
    """Take what was published out of the outbox. Two workers that published the same take it out once."""
    rest = tuple(notice for notice in booking.outbox if notice not in handed_over)
    return Change(replace(booking, outbox=rest))
