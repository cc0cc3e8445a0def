"""Bookings in the ledger, written by the same transitions as the worker's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from shared.clock import system_clock
from shared.domain.booking.known_doors import KnownDoor
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Change, State, Window
from shared.domain.booking.transitions import apply_message
from shared.domain.messages.message import BookingMessage, MessageType
from shared.domain.stay.stay import Stay, WallTime
from shared.ledger.bookings import BookingLedger
from shared.ledger.known_doors import remember
from shared.ledger.last_read_doors import remember_reading
from tests.shared.ledgers import booking_ledger

ZONE = "America/Los_Angeles"
DOOR = "d0000000-0000-0000-0000-000000000001"
HOTEL = {"name": "Guest 4pm-10am", "check_in": "16:00", "check_out": "10:00"}


def ledger_of(redis: Redis) -> BookingLedger:
    """Return the ledger, on the system's clock."""
    return booking_ledger(redis, system_clock)


def book(
    redis: Redis,
    booking_id: str,
    *,
    device_id: str = DOOR,
    hours: float = 24,
    label: str | None = None,
    state: State = State.READY,
    reason: str = "",
    detail: str = "",
    name: str = "Room 101",
    zone: str | None = ZONE,
) -> Booking:
    """Write a booking of one door that checks in in so many hours and stands as it is told."""
    check_in = (system_clock() + timedelta(hours=hours)).replace(second=0, microsecond=0)
    local = check_in.astimezone(UTC).replace(tzinfo=None)
    stay = Stay(check_in=WallTime(local, "UTC"), check_out=WallTime(local + timedelta(days=3), "UTC"))
    message = BookingMessage(
        source="/pms",
        message_id=f"created-{booking_id}",
        type=MessageType.CREATED,
        booking_id=booking_id,
        revision=0,
        device_ids=(device_id,),
        check_in=stay.check_in,
        check_out=stay.check_out,
        label=label,
    )
    ledger = ledger_of(redis)
    booking = ledger.record_message(
        booking_id,
        lambda before: apply_message(
            before, message, stay=stay, device_ids=(device_id,), lead_time=None, now=system_clock()
        ),
    )
    code = AccessCode(
        access_code_id=f"code-of-{booking_id}",
        window=Window(check_in, check_in + timedelta(days=3)),
        known_since=system_clock(),
        user_level_id="1",
    )

    def stand(it: Booking) -> Change:
        door: BookedDoor = replace(
            it.doors[0],
            name=name,
            time_zone=zone,
            state=state,
            reason=reason,
            detail=detail,
            check_in=check_in,
            check_out=check_in + timedelta(days=3),
            planned_revision=0,
            due_at=system_clock() + timedelta(hours=1),
            code=code if state in (State.READY, State.ISSUED) else None,
        )
        return Change(replace(it, doors=(door,), state=state, reason=reason))

    return ledger.record(booking, stand)


def move(redis: Redis, booking_id: str, state: State, reason: str = "") -> Booking:
    """Move a booking and its door to a state, as a transition does."""

    def moved(it: Booking) -> Change:
        doors = tuple(replace(door, state=state, reason=reason) for door in it.doors)
        return Change(replace(it, doors=doors, state=state, reason=reason))

    ledger = ledger_of(redis)
    return ledger.record(ledger.get(booking_id), moved)


def slots_of(*slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return slots as Seam has them; each is {name, check_in, check_out}."""
    return [
        {
            "name": slot["name"],
            "dormakaba_oracode_user_level_id": str(number),
            "check_in_time": f"{slot['check_in']}:00[{ZONE}]",
            "check_out_time": f"{slot['check_out']}:00[{ZONE}]",
        }
        for number, slot in enumerate(slots, start=1)
    ]


def read_door(redis: Redis, device_id: str = DOOR, *slots: Mapping[str, Any], name: str = "Room 101") -> None:
    """Note a door as it was last read."""
    device = {
        "device_id": device_id,
        "display_name": name,
        "device_type": "dormakaba_oracode_door",
        "can_program_offline_access_codes": True,
        "properties": {"dormakaba_oracode_metadata": {"predefined_time_slots": slots_of(*(slots or (HOTEL,)))}},
    }
    pipeline = redis.pipeline(transaction=False)
    remember_reading(pipeline, device_id, device, at=datetime.now(UTC), keep_for=timedelta(days=1))
    remember(pipeline, device_id, KnownDoor(name, ZONE), keep_for=timedelta(days=1))
    pipeline.execute()
