"""Short ways to say bookings, doors, codes and moments; for every test of what moves them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import system_clock
from shared.domain.booking.door_state import facts_of, state_of
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Change, Intent, State, Window
from shared.domain.booking.transitions import apply_message
from shared.domain.messages.message import BookingMessage, MessageType
from shared.domain.stay.stay import Instant, Stay

# Far ahead: what expires after these moments is still there while a test runs.
NOW = datetime(2036, 11, 21, 12, tzinfo=UTC)
CHECK_IN = datetime(2036, 12, 1, 16, tzinfo=UTC)
CHECK_OUT = datetime(2036, 12, 5, 10, tzinfo=UTC)
DOOR, SECOND = "d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002"
WINDOW = Window(CHECK_IN, CHECK_OUT)
STAY = Stay(check_in=Instant(CHECK_IN), check_out=Instant(CHECK_OUT))
SOON = timedelta(minutes=1)
ERASE_AT = CHECK_OUT + timedelta(days=90)


class MovableClock:
    """The system's clock, moved forward as far as a test wants."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        """Return the moment that this clock shows."""
        return system_clock() + self.offset

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.offset += by


def message(revision: int = 0, kind: str = "created", message_id: str = "", **fields: Any) -> BookingMessage:
    """Return a booking message of this revision; its id tells revision and kind unless one is given."""
    return BookingMessage(
        source="/pms",
        message_id=message_id or f"{kind}-{revision}",
        type=MessageType(f"booking.{kind}"),
        booking_id="BK-1",
        revision=revision,
        **fields,
    )


def accepted(
    before: Booking | None = None,
    revision: int = 0,
    kind: str = "created",
    *,
    doors: tuple[str, ...] = (DOOR,),
    message_id: str = "",
    stay: Stay | None = STAY,
    now: datetime = NOW,
) -> Change:
    """Apply a booking message."""
    return apply_message(
        before,
        message(revision, kind, message_id),
        stay=None if kind == "cancelled" else stay,
        device_ids=() if kind == "cancelled" else doors,
        lead_time=None,
        now=now,
    )


def booking(*doors: str, revision: int = 0) -> Booking:
    """Return a fresh booking on these doors (one unless told), with nothing left to tell."""
    return quiet(accepted(revision=revision, doors=doors or (DOOR,)).booking)


def quiet(it: Booking) -> Booking:
    """Return the booking with an empty outbox."""
    return replace(it, outbox=())


def with_door(it: Booking, device_id: str = DOOR, **fields: Any) -> Booking:
    """Return the booking with some fields of a door set, without any transition."""
    doors = tuple(replace(door, **fields) if door.device_id == device_id else door for door in it.doors)
    return replace(it, doors=doors)


def door(**fields: Any) -> BookedDoor:
    """Return a booked door."""
    return BookedDoor(**({"device_id": DOOR} | fields))


def code(access_code_id: str = "c-1", window: Window = WINDOW) -> AccessCode:
    """Return an access code."""
    return AccessCode(access_code_id=access_code_id, window=window, known_since=NOW, user_level_id="level-1")


def intent(intent_id: str = "i-1") -> Intent:
    """Return an intent to create a code for the stay's own window."""
    return Intent(intent_id=intent_id, at=NOW, window=WINDOW, user_level_id="level-1")


def contradicts_itself(it: BookedDoor) -> bool:
    """Say whether a door's fields are none of the states of `shared.domain.booking.door_state`."""
    state = state_of(it)
    return (state.name, facts_of(state)) != (it.state, (it.intent, it.code, it.offers))


def issued(*doors: str) -> Booking:
    """Return a booking whose every door has a code (c-1, c-2, …), with nothing left to tell."""
    it = booking(*doors)
    for number, each in enumerate(it.doors, start=1):
        it = with_door(
            it,
            each.device_id,
            state=State.ISSUED,
            code=code(f"c-{number}"),
            planned_revision=0,
            check_in=CHECK_IN,
            check_out=CHECK_OUT,
            asked=WINDOW,
        )
    return replace(it, state=State.ISSUED)


def told_of(change: Change, before: Booking) -> list[str]:
    """Return what a transition added to the outbox: outcomes by name, alerts as +key or -key."""
    told = []
    for notice in change.booking.outbox[len(before.outbox) :]:
        if notice.kind == "outcome":
            told.append(notice.outcome)
        else:
            told.append(f"{'+' if notice.raised else '-'}{notice.problem}/{notice.key.rpartition('/')[2]}")
    return told


def lines_of(change: Change) -> list[str]:
    """Return the names of the history lines that a transition wrote, but for those that tell of its alerts."""
    return [entry.what for entry in change.history if not entry.what.startswith("alert.")]


Transition = Callable[[Booking], Change]
