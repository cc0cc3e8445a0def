"""A person chooses a slot for a door. The choice is recorded with its author, and holds until the stay changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.booking.record import OVER, BookedDoor, Booking, Change, HistoryEntry, Window
from shared.domain.booking.transitions.change import StaleRead, change_booking, span
from shared.domain.matching.manual_choice import ChosenSlot, SlotOffer, called
from shared.domain.stay.stay import Stay


def may_choose_slot(booking: Booking, door: BookedDoor) -> bool:
    """Say whether a slot may be chosen for the door: it isn't over, and one code serves the stay."""
    return not booking.cancelled and door.wanted and door.state not in OVER and not door.part


def choose_slot(booking: Booking, chosen: Mapping[str, SlotOffer], *, stay: Stay, by: str, now: datetime) -> Change:
    """Record that `by` chose a slot for each of these doors, which are planned with it at once.

    `stay` is the one that the choice was checked against. Choosing the same again changes nothing, not even who did.
    An open intent is looked up in its own time, and the door planned after that. Raises StaleRead where the stay is
    another now, or a door is closed; KeyError for a door that isn't the booking's.
    """
    known = {key: booking.door(key) for key in chosen}
    if booking.stay != stay or not all(may_choose_slot(booking, door) for door in known.values()):
        raise StaleRead
    fresh = {key: offer for key, offer in chosen.items() if _reference(known[key]) != offer.slot}
    if not fresh:
        return Change(booking)
    doors = tuple(
        _choosing(door, fresh[door.key], by=by, now=now) if door.key in fresh else door for door in booking.doors
    )
    lines = (
        HistoryEntry(
            at=now,
            what="slot.chosen",
            text=f"{by} chose the slot {called(offer.name)}: a code from {span(Window(offer.starts_at, offer.ends_at))}"
            f" ({offer.meaning}).",
            device_id=known[key].device_id,
            facts={"slot": offer.slot},
        )
        for key, offer in fresh.items()
    )
    return change_booking(booking, replace(booking, doors=doors), now, *lines)


def ended_choices(before: Booking | None, after: Booking, now: datetime) -> tuple[HistoryEntry, ...]:
    """Return the lines that tell which choices a message has ended."""
    still = {door.key for door in after.doors if door.choice is not None}
    return tuple(
        HistoryEntry(
            at=now,
            what="slot.choice_ended",
            text=f"The slot {called(door.choice.name)}, chosen by {door.choice.by}, no longer counts.",
            device_id=door.device_id,
        )
        for door in (before.doors if before is not None else ())
        if door.choice is not None and door.key not in still
    )


def _reference(door: BookedDoor) -> str | None:
    return door.choice.slot if door.choice is not None else None


def _choosing(door: BookedDoor, offer: SlotOffer, *, by: str, now: datetime) -> BookedDoor:
    choice = ChosenSlot(slot=offer.slot, name=offer.name, by=by, at=now)
    due_at = now if door.intent is None else door.due_at
    return replace(door, choice=choice, planned_revision=None, due_at=due_at, attempts=0)
