"""What a booking system or a person does to a booking: messages by revision, and "try again"."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.record import BookedDoor, Booking, Change, HistoryEntry, Notice, State
from shared.domain.booking.transitions.change import change_booking
from shared.domain.booking.transitions.choose_slot import ended_choices
from shared.domain.messages.message import BookingMessage, MessageType
from shared.domain.stay.stay import Stay

# How many messages a booking remembers to know a repeat; its revision alone would already stop older ones.
_SEEN_MESSAGES: Final = 50
# Where a door has nothing more to come.
_OVER: Final = (State.CANCELLED, State.ENDED)


class Repeated(Exception):
    """The same message was applied before."""


class Superseded(Exception):
    """A newer revision, or an earlier message of the same one, has won."""


def apply_message(
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
        is_forgotten=False,
        seen_messages=(*base.seen_messages, mark)[-_SEEN_MESSAGES:],
    )
    if not cancels:
        booking = replace(
            booking,
            stay=stay,
            lead_time=lead_time,
            label=message.label,
            doors=_doors_for(base.doors, device_ids, keeps_choices=stay == base.stay),
        )
    booking = replace(booking, doors=tuple(_roused(booking, door, now) for door in booking.doors))
    entry = HistoryEntry(
        at=now,
        what="message.applied",
        text=f"{message.type}, revision {message.revision}, was applied.",
        facts={
            "revision": message.revision,
            "source": message.source,
            "message_id": message.message_id,
        },
    )
    return change_booking(before, booking, now, entry, *ended_choices(before, booking, now))


def _doors_for(
    before: tuple[BookedDoor, ...], device_ids: tuple[str, ...], *, keeps_choices: bool
) -> tuple[BookedDoor, ...]:
    """Return the booking's doors after a message. A slot was chosen for one stay at one door, and ends with either."""
    before = before if keeps_choices else tuple(replace(door, choice=None) for door in before)
    wanted = []
    for device_id in device_ids:
        known = [_anew(door) for door in before if door.device_id == device_id]
        wanted += known or [BookedDoor(device_id=device_id)]
    wanted = [replace(door, state=State.RECEIVED) if door.state in _OVER else door for door in wanted]
    dropped = [replace(door, wanted=False, choice=None) for door in before if door.device_id not in device_ids]
    return (*wanted, *dropped)


def _anew(door: BookedDoor) -> BookedDoor:
    """Return a door that is wanted (again); when its stay begins and ends is not known until it is planned anew."""
    return replace(door, wanted=True, check_in=None, check_out=None)


def _roused(booking: Booking, door: BookedDoor, now: datetime) -> BookedDoor:
    """Return the door as due now; one for which the message leaves nothing to do stays due when it was."""
    roused = replace(door, due_at=now, attempts=0)
    return door if next_step(booking, roused, now) in (Step.NOTHING, Step.FORGET) else roused


def retry(booking: Booking, *, now: datetime) -> Change:
    """Plan every unfinished door again at once, because a person asked for it; where there is a code, look at it."""
    doors = tuple(
        replace(door, planned_revision=door.planned_revision if door.code else None, due_at=now, attempts=0)
        if door.wanted and door.state not in (*_OVER, State.READY)
        else door
        for door in booking.doors
    )
    entry = HistoryEntry(at=now, what="booking.retried", text="A person asked to try again now.")
    return change_booking(booking, replace(booking, doors=doors), now, entry)


def clear_published(booking: Booking, handed_over: tuple[Notice, ...]) -> Change:
    """Take what was published out of the outbox. Two workers that published the same take it out once."""
    rest = tuple(notice for notice in booking.outbox if notice not in handed_over)
    return Change(replace(booking, outbox=rest))
