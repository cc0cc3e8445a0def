"""A person chooses a slot for a booking that fits none by itself, by the command line or by a button.

Seam is asked for the door alone. The choice is judged by pure matching and written into the record. From there the door
goes on as any other: its booking's code is looked for before one is made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.booking import transitions
from shared.domain.booking.record import BookedDoor, Booking, Change, State, Window
from shared.domain.door.door import Door
from shared.domain.matching.manual_choice import SlotOffer, called, short
from shared.domain.matching.manual_options import OF_A_SLOT, Choosable, Judged, NotChoosable, choice_of, choices_of
from shared.domain.matching.match import MatchPolicy
from shared.domain.stay.stay import Stay
from shared.ledger.bookings import BookingLedger

_STUCK = (State.WAITING, State.FAILED)


class NotChosen(Exception):
    """The slot can't be chosen; the text says why, and what else would do. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was chosen for one door; `is_news` says whether it wasn't chosen before."""

    door: BookedDoor
    offer: SlotOffer
    is_news: bool


class ChooseSlot:
    """Judges and records choices. A repeated one changes nothing; a kill anywhere leaves all of it or nothing."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        read_door: Callable[[str], Door],
        policy: MatchPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        """Use `read_door` to read a door as Seam has it now, not from a cache; what it raises goes through."""
        self._ledger = ledger
        self._read_door = read_door
        self._policy = policy
        self._clock = clock

    def choices(self, booking: Booking, door_key: str | None) -> list[tuple[BookedDoor, tuple[Judged, ...]]]:
        """Return for each door that is meant what could be chosen, and what couldn't. Raises NotChosen."""
        stay, doors = _meant(booking, door_key)
        return [
            (door, choices_of(stay, self._read_door(door.device_id), self._policy, self._clock())) for door in doors
        ]

    def choose(
        self, booking: Booking, slot: str, *, door_key: str | None, by: str, agreed: Window | None = None
    ) -> Sequence[Chosen]:
        """Choose a slot for every door of the booking that is meant: all of them, or none. Raises NotChosen.

        `agreed` is the window that a message showed: a choice of another window isn't taken, nor one for a door that
        has a code by now. Raises UnknownBooking where the ledger has forgotten the booking meanwhile.
        """
        stay, doors = _meant(booking, door_key)
        offers = {door.key: self._judged(door, stay, slot, agreed) for door in doors}
        now, only_stuck = self._clock(), door_key is None or agreed is not None

        def chosen(it: Booking) -> Change:
            if only_stuck and not all(_waits_for(it.door(key), offer) for key, offer in offers.items()):
                raise transitions.StaleRead
            return transitions.choose_slot(it, offers, stay=stay, by=by, now=now)

        try:
            after = self._ledger.record(booking, chosen)
        except (transitions.StaleRead, KeyError):
            names = ", ".join(dict.fromkeys(called(offer.name) for offer in offers.values()))
            raise NotChosen(
                f"{names}: it has changed since, and waits for a slot no more or for another stay"
            ) from None
        return [
            Chosen(door=door, offer=offers[door.key], is_news=_has_chosen(after, door.key, by=by, at=now))
            for door in doors
        ]

    def _judged(self, booked: BookedDoor, stay: Stay, slot: str, agreed: Window | None) -> SlotOffer:
        door, now = self._read_door(booked.device_id), self._clock()
        judged = choice_of(slot, stay, door, self._policy, now)
        if isinstance(judged, NotChoosable):
            others = [each for each in choices_of(stay, door, self._policy, now) if isinstance(each, Choosable)]
            known = ", ".join(called(each.slot.name) for each in others) or "none"
            name = called(judged.slot.name if judged.slot is not None else slot)
            raise NotChosen(f"{name} on {short(door.name)}: {judged.why}; that can be chosen: {known}")
        if agreed is not None and (judged.starts_at, judged.ends_at) != (agreed.starts_at, agreed.ends_at):
            zone = judged.match.time_zone or "UTC"
            times = f"{judged.starts_at:%Y-%m-%d %H:%M} to {judged.ends_at:%Y-%m-%d %H:%M} {zone}"
            raise NotChosen(f"a code of {called(judged.slot.name)} would work from {times} now, not as it was shown")
        return judged.offer()


def _meant(booking: Booking, door_key: str | None) -> tuple[Stay, Sequence[BookedDoor]]:
    """Return the stay and the doors that an order is about: the one that is named, else all that wait for a slot."""
    if booking.stay is None or booking.cancelled:
        raise NotChosen(f"the booking is {booking.state}")
    if door_key is None:
        stuck = [door for door in booking.doors if _is_stuck(door) and transitions.may_choose_slot(booking, door)]
        if not stuck:
            raise NotChosen("no door of it waits for want of a slot; name the door whose code shall be another")
        return booking.stay, stuck
    # A door that one code serves has its device's id for a key.
    known: Mapping[str, BookedDoor] = {door.key: door for door in booking.doors if door.wanted}
    if any(door.device_id == door_key and door.part for door in known.values()):
        raise NotChosen("several consecutive codes serve the stay on this door; their slots aren't chosen one by one")
    if door_key not in known:
        raise NotChosen("the booking is not on this door")
    if not transitions.may_choose_slot(booking, known[door_key]):
        raise NotChosen(f"the door is {known[door_key].state}")
    return booking.stay, [known[door_key]]


def _is_stuck(door: BookedDoor) -> bool:
    return door.code is None and door.state in _STUCK and door.reason in OF_A_SLOT


def _waits_for(door: BookedDoor, offer: SlotOffer) -> bool:
    """Say whether the door lacks a slot; one for which the same slot was chosen already has nothing to lose either."""
    return _is_stuck(door) or (door.choice is not None and door.choice.slot == offer.slot)


def _has_chosen(booking: Booking, key: str, *, by: str, at: datetime) -> bool:
    choice = booking.door(key).choice
    return choice is not None and (choice.by, choice.at) == (by, at)
