"""The state of a booked door as a closed union: each state with the facts that only it has.

The record (`BookedDoor`) is flat, because it is stored so and two versions read it. `state_of` reads it as one of these
states, and `transitions.change.enter` is the only place that writes a state. So a door that is being created has an
intent, and a door whose code is issued has a code: nothing else can be written.

`reason`, `residual` and the facts of the door itself stay when the state changes. So does `code` in some states: a door
that is planned again for a newer revision, a failed one and an ended one may still have a code (docs/decisions/0006).
"""

from dataclasses import dataclass
from typing import ClassVar, assert_never

from shared.domain.booking.record import AccessCode, BookedDoor, Intent, State
from shared.domain.matching.manual_choice import SlotOffer


@dataclass(frozen=True, slots=True)
class Received:
    """To be planned. `code` is a current code that may serve the newer revision too."""

    name: ClassVar = State.RECEIVED
    code: AccessCode | None = None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """To be planned again at a known time. `code` as in `Received`."""

    name: ClassVar = State.SCHEDULED
    code: AccessCode | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing fits now. `offers` are slots that a person may choose."""

    name: ClassVar = State.WAITING
    offers: tuple[SlotOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Creating:
    """A create may have reached Seam: only a look at Seam leads on."""

    name: ClassVar = State.CREATING
    intent: Intent


@dataclass(frozen=True, slots=True)
class Issued:
    """The code exists at Seam, and isn't confirmed."""

    name: ClassVar = State.ISSUED
    code: AccessCode


@dataclass(frozen=True, slots=True)
class Ready:
    """Seam confirms the code."""

    name: ClassVar = State.READY
    code: AccessCode


@dataclass(frozen=True, slots=True)
class Failed:
    """A person must act. `code` is one that Seam can't set; `offers` are slots that a person may choose."""

    name: ClassVar = State.FAILED
    code: AccessCode | None = None
    offers: tuple[SlotOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Closed: the codes that still open the door are among its residual ones."""

    name: ClassVar = State.CANCELLED


@dataclass(frozen=True, slots=True)
class Ended:
    """Check-out has passed. `code` is the one that served the stay."""

    name: ClassVar = State.ENDED
    code: AccessCode | None = None


DoorState = Received | Scheduled | Waiting | Creating | Issued | Ready | Failed | Cancelled | Ended


def state_of(door: BookedDoor) -> DoorState:
    """Return the state of a door. A record that contradicts itself is read as the nearest state that is true.

    Earlier versions wrote such records: closed while a create was under way, a door stayed `creating` without an
    intent, and an ended or cancelled door kept its offers. An open intent goes before everything else. A code that the
    record has is never overlooked.
    """
    if door.intent is not None:
        return Creating(door.intent)
    return _without_code(door) if door.code is None else _with_code(door, door.code)


def _with_code(door: BookedDoor, code: AccessCode) -> DoorState:
    match door.state:
        case State.RECEIVED | State.WAITING:
            return Received(code)
        case State.SCHEDULED:
            return Scheduled(code)
        case State.CREATING | State.ISSUED | State.CANCELLED:
            return Issued(code)
        case State.READY:
            return Ready(code)
        case State.FAILED:
            return Failed(code, door.offers)
        case State.ENDED:
            return Ended(code)
        case _:
            assert_never(door.state)


def _without_code(door: BookedDoor) -> DoorState:
    match door.state:
        case State.RECEIVED | State.ISSUED | State.READY:
            return Received()
        case State.SCHEDULED | State.CREATING:
            return Scheduled()
        case State.WAITING:
            return Waiting(door.offers)
        case State.FAILED:
            return Failed(offers=door.offers)
        case State.CANCELLED:
            return Cancelled()
        case State.ENDED:
            return Ended()
        case _:
            assert_never(door.state)


def facts_of(state: DoorState) -> tuple[Intent | None, AccessCode | None, tuple[SlotOffer, ...]]:
    """Return the fields of the record that a state decides: the intent, the code, and the slots on offer."""
    match state:
        case Creating(intent):
            return intent, None, ()
        case Waiting(offers):
            return None, None, offers
        case Failed(code, offers):
            return None, code, offers
        case Received(code) | Scheduled(code) | Ended(code):
            return None, code, ()
        case Issued(code) | Ready(code):
            return None, code, ()
        case Cancelled():
            return None, None, ()
        case _:
            assert_never(state)
