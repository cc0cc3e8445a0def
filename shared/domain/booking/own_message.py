"""The message by which a person changes or cancels a booking: the same that its booking system would send. Pure.

So the command line and the console change bookings in the one way that there is, and the same rules say which message
wins.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.domain.booking.message_order import given_revision, source_of
from shared.domain.booking.record import Booking, Change, State
from shared.domain.booking.transitions import apply_message
from shared.domain.messages.far_ahead import check_not_far_ahead
from shared.domain.messages.message import (
    CHECK_OUT_NOT_AFTER_CHECK_IN,
    BookingMessage,
    InvalidMessage,
    MessageType,
    asked_of,
    stay_of,
    unknown_unit,
)
from shared.domain.messages.message import written as written_time
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.time_fields import UnreadableBookingTime, parse_booking_time
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay, UnitRules, WallTime, as_booked

ENDS: Final = "These times are over: by them the booking ends for good, and it can't be changed back."
"""What a person must know before a change that `ends_by`."""
_TIMES: Final = ("check_in", "check_out")
# Later than any entry that is in the stream.
_AFTER_ALL: Final = f"{10**15}-0"


def message_of(
    booking: Booking, kind: MessageType, data: Mapping[str, Any], *, message_id: str
) -> tuple[str, BookingMessage]:
    """Return a message about the booking, from its own source, and the parsed message. Raises InvalidMessage.

    A cancellation has no revision: it cancels the booking in any revision. A change has the next revision, if the
    booking system uses revisions.
    """
    fields = {"booking_id": booking.booking_id, **data}
    given = given_revision(booking)
    if kind is not MessageType.CANCELLED and given is not None:
        fields["revision"] = given + 1
    envelope = {
        "specversion": "1.0",
        "id": message_id,
        "source": source_of(booking) or "",
        "type": kind,
        "data": fields,
    }
    text = json.dumps(envelope)
    return text, parse_booking_message(text)


def changed_data(booking: Booking, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the booking's message with these `changes`; fields that are None don't change.

    `time_zone` is for the times in `changes`; if there are none, for the booking's own local times.
    """
    data: dict[str, Any] = {**_asked(booking), "label": booking.label}
    given = {name: value for name, value in changes.items() if value is not None}
    if "unit" in given:
        data.pop("device_ids", None)
    if "device_ids" in given:
        data.pop("unit", None)
    zone = given.pop("time_zone", None)
    if zone is not None:
        # The zone is written behind each changed time: the others have their own, or are on the lock's clock.
        times = given if any(name in given for name in _TIMES) else data
        given |= {name: _in_zone(str(times[name]), zone) for name in _TIMES if name in times}
    return {name: value for name, value in (data | given).items() if value is not None}


def rules_for(message: BookingMessage, units: Mapping[str, UnitRules]) -> UnitRules | None:
    """Return what the doors file says of the message's unit; None for one without. Raises InvalidMessage."""
    if message.unit is None or message.type is MessageType.CANCELLED:
        return None
    if message.unit not in units:
        raise InvalidMessage((unknown_unit(message.unit, units),))
    return units[message.unit]


def rules_as_booked(booking: Booking, message: BookingMessage) -> UnitRules | None:
    """Return the rules of the message's unit as the booking shows them, where no doors file tells of it.

    None for a message without a unit. They are right as long as the booking is of this unit.
    """
    if message.unit is None or booking.stay is None:
        return None
    booked = as_booked(booking.stay)
    return UnitRules(
        unit=message.unit,
        device_ids=tuple(dict.fromkeys(door.device_id for door in booking.doors if door.wanted)),
        check_in=booked.check_in.at.time(),
        check_out=booked.check_out.at.time(),
        buffer_before=booking.stay.buffer_before,
        buffer_after=booking.stay.buffer_after,
        granularity=booking.stay.granularity,
        lead_time=booking.lead_time,
    )


def as_applied(booking: Booking, message: BookingMessage, rules: UnitRules | None, *, now: datetime) -> Change:
    """Return what the message would make of the booking if it came now, as the worker applies it.

    Raises InvalidMessage where it would be parked, Repeated and Superseded where it would change nothing.
    """
    check_not_far_ahead(message.check_in, now)
    return apply_message(
        booking,
        message,
        stay=stay_of(message, rules),
        device_ids=rules.device_ids if rules else message.device_ids,
        lead_time=rules.lead_time if rules else None,
        now=now,
        arrival=_AFTER_ALL,
    )


def check_change(booking: Booking, message: BookingMessage, units: Mapping[str, UnitRules], *, now: datetime) -> None:
    """Raise InvalidMessage where the worker would park the change, or check-out isn't after check-in at the door."""
    rules = rules_for(message, units)
    check_order(booking, stay_of(message, rules), rules.device_ids if rules else message.device_ids)
    check_not_far_ahead(message.check_in, now)


def check_order(booking: Booking, stay: Stay, device_ids: Collection[str]) -> None:
    """Raise InvalidMessage where check-out isn't after check-in on the clock of these locks of the booking.

    A message may mix local times with instants: only the lock's zone, where it is known, tells their order.
    """
    zones = {door.time_zone for door in booking.doors if door.time_zone and door.device_id in device_ids}
    booked = as_booked(stay)
    for check_in, check_out in (instants_of(booked, zone) for zone in zones):
        if check_in >= check_out:
            raise InvalidMessage((CHECK_OUT_NOT_AFTER_CHECK_IN,))


def changes_nothing(booking: Booking, message: BookingMessage) -> bool:
    """Say whether a change asks for the same as the booking's newest message."""
    return asked_of(message) == booking.asked and message.label == booking.label


def is_over(booking: Booking) -> str | None:
    """Return why the booking can't be changed or cancelled any more; None if it can."""
    if booking.cancelled:
        return "is cancelled already"
    if booking.state is State.ENDED:
        return "has ended"
    return None


def ends_by(
    booking: Booking, stay: Stay, device_ids: Collection[str], zones: Mapping[str, str], *, now: datetime
) -> bool:
    """Say whether the booking ends at once with this stay on these doors: it is over on the clock of each lock.

    `zones` are those of doors, by their ids, that the booking itself has not learned yet. Where a zone isn't known, a
    stay is over once it is so in every zone. An ended booking can't be changed any more, but by its booking system.
    """
    known = {door.device_id: door.time_zone for door in booking.doors if door.time_zone}
    clocks = {known.get(device_id) or zones.get(device_id) for device_id in device_ids}
    return bool(clocks) and all(instants_of(stay, zone)[1] <= now for zone in clocks)


def _asked(booking: Booking) -> dict[str, Any]:
    if booking.asked:
        asked: dict[str, Any] = json.loads(booking.asked)
        return asked
    # A record of an older version doesn't have the message, only its result with the unit's defaults and buffers.
    stay = booking.stay
    if stay is None:
        return {}
    return {
        "device_ids": list(dict.fromkeys(door.device_id for door in booking.doors if door.wanted)),
        "check_in": written_time(stay.check_in),
        "check_out": written_time(stay.check_out),
        "granularity": stay.granularity,
        "slot": stay.slot,
    }


def _in_zone(text: str, zone: str) -> str:
    """Return a local time with this zone appended; any other text unchanged."""
    try:
        read = parse_booking_time(text)
    except UnreadableBookingTime:
        return text
    return written_time(replace(read, time_zone=zone)) if isinstance(read, WallTime) else text
