"""The ledger of a busy place: bookings of many doors in every state, doors that were read, open alerts.

It is written through the ledger's own code, so that every index is right.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bench.data_server import DataServer, keep_data_again
from bench.system import ledger_of
from shared import redis_keys
from shared.clock import system_clock
from shared.domain.booking.known_doors import KnownDoor
from shared.domain.booking.record import AccessCode, AlertNotice, Booking, Change, State, Window
from shared.domain.booking.transitions import apply_message
from shared.domain.messages.message import BookingMessage, MessageType
from shared.domain.stay.stay import Stay, WallTime
from shared.ledger.alerts import AlertLedger
from shared.ledger.booking_indexes import INDEX_VERSION
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet
from shared.ledger.known_doors import remember
from shared.ledger.last_read_doors import remember_reading
from shared.parked import Parked, ParkedList

ZONE: Final = "America/Los_Angeles"
# Most bookings have a working code; a few wait, failed or ended. Check-ins are from two weeks ago to six weeks ahead.
_STATES: Final = (
    *[State.READY] * 12,
    *[State.SCHEDULED] * 5,
    State.ISSUED,
    State.WAITING,
    State.ENDED,
    State.ENDED,
    State.CANCELLED,
)
_REASONS: Final = {State.WAITING: "no_slot", State.FAILED: "refused_by_seam"}
_DAYS_BACK: Final = 14
_DAYS_AHEAD: Final = 42
_ALERTS: Final = 100
_PARKED: Final = 50


def door_id(number: int) -> str:
    """Return the id of a door."""
    return f"d0000000-0000-4000-8000-{number:012}"


def booking_id(number: int) -> str:
    """Return the id of a booking."""
    return f"BK-{number:06}"


def fill(server: DataServer, *, bookings: int, doors: int) -> None:
    """Write all of it. The append-only file is off meanwhile, and complete afterwards."""
    ledger, now = ledger_of(server), system_clock()
    with server.client(socket_timeout=120) as redis:
        redis.config_set("appendonly", "no")
        # Each is written with its index entries: otherwise the console would fill the indexes while it is measured.
        redis.set(redis_keys.BOOKINGS_INDEXED, INDEX_VERSION)
        for number in range(bookings):
            _book(ledger, number, doors, now)
        pipeline = redis.pipeline(transaction=False)
        for number in range(doors):
            device_id, name = door_id(number), f"Room {number + 1:03}"
            remember_reading(pipeline, device_id, _device(device_id, name), at=now, keep_for=timedelta(days=1))
            remember(pipeline, device_id, KnownDoor(name, ZONE), keep_for=timedelta(days=1))
        pipeline.execute()
        alerts = AlertLedger(
            redis, due=DueSet(redis, lease=timedelta(minutes=1)), clock=system_clock, retention=timedelta(days=90)
        )
        for number in range(_ALERTS):
            alerts.record_notice(_notice(number, now))
        parked = ParkedList(redis)
        for number in range(_PARKED):
            parked.park(_parked(number, now))
        keep_data_again(redis)


def touch(ledger: BookingLedger, number: int, now: datetime) -> None:
    """Change one booking, as a look at Seam does; open console pages are told."""

    def changed(it: Booking) -> Change:
        door = replace(it.doors[0], due_at=now + timedelta(hours=1))
        return Change(replace(it, doors=(door, *it.doors[1:])))

    ledger.record(ledger.get(booking_id(number)), changed)


def _book(ledger: BookingLedger, number: int, doors: int, now: datetime) -> None:
    state = _STATES[number % len(_STATES)]
    hours = (number * 7) % ((_DAYS_BACK + _DAYS_AHEAD) * 24) - _DAYS_BACK * 24
    check_in = (now + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    check_out = check_in + timedelta(days=3)
    stay = Stay(
        check_in=WallTime(check_in.replace(tzinfo=None), "UTC"),
        check_out=WallTime(check_out.replace(tzinfo=None), "UTC"),
    )
    message = BookingMessage(
        source="/pms",
        message_id=f"m{number}",
        type=MessageType.CREATED,
        booking_id=booking_id(number),
        revision=0,
        label=f"Guest {number % 997} of group {number % 41}",
    )
    code = AccessCode(
        access_code_id=f"c0de0000-0000-4000-8000-{number:012}",
        window=Window(check_in, check_out),
        known_since=now,
        user_level_id="1",
    )

    def stand(before: Booking | None) -> Change:
        device = door_id(number % doors)
        change = apply_message(before, message, stay=stay, device_ids=(device,), lead_time=None, now=now)
        it = change.booking
        door = replace(
            it.doors[0],
            name=f"Room {number % doors + 1:03}",
            time_zone=ZONE,
            state=state,
            reason=_REASONS.get(state, ""),
            check_in=check_in,
            check_out=check_out,
            planned_revision=0,
            due_at=now + timedelta(hours=12),
            code=code if state in (State.READY, State.ISSUED) else None,
        )
        return replace(change, booking=replace(it, doors=(door,), state=state, reason=_REASONS.get(state, "")))

    ledger.record_message(booking_id(number), stand)


def _device(device_id: str, name: str) -> dict[str, Any]:
    slots = [
        {
            "name": f"Guest {start}:00",
            "dormakaba_oracode_user_level_id": str(number),
            "check_in_time": f"{start}:00:00[{ZONE}]",
            "check_out_time": f"10:00:00[{ZONE}]",
        }
        for number, start in enumerate((14, 15, 16), start=1)
    ]
    return {
        "device_id": device_id,
        "display_name": name,
        "device_type": "dormakaba_oracode_door",
        "can_program_offline_access_codes": True,
        "properties": {"dormakaba_oracode_metadata": {"predefined_time_slots": slots}},
    }


def _notice(number: int, now: datetime) -> AlertNotice:
    return AlertNotice(
        at=now,
        raised=True,
        key=f"booking/{booking_id(number)}/no_slot/d",
        problem="no_slot",
        subject=f"Booking {booking_id(number)}",
        happened="No slot of the lock fits this stay.",
        next_step="Choose a slot, or move the stay.",
        actor="ops",
        booking_id=booking_id(number),
        device_id=door_id(number),
    )


def _parked(number: int, now: datetime) -> Parked:
    return Parked(
        stream="booking-created",
        field="message",
        source_id=f"{number + 1}-1",
        message=f'{{"booking_id": "P{number}", "check_in": "tomorrow"}}',
        problems=("check_in: 'tomorrow' is neither a time nor a date; give one such as 2026-12-01",),
        parked_at=now.isoformat(),
    )
