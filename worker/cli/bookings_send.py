"""`oracode bookings cancel` and `change`: the message that does it, sent as the booking's own booking system would."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import click

from shared.domain.booking.message_order import given_revision, source_of
from shared.domain.booking.record import Booking, State
from shared.domain.messages.message import (
    BookingMessage,
    InvalidMessage,
    MessageType,
    Problem,
    asked_of,
    stay_of,
    unknown_unit,
)
from shared.domain.messages.message import written as written_time
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.time_fields import UnreadableBookingTime, parse_booking_time
from shared.domain.stay.stay import UnitRules, WallTime
from shared.doors_file import InvalidDoorsFile
from shared.settings import Settings
from worker.cli.printable import printable
from worker.ports import units_of

_TIMES: Final = ("check_in", "check_out")


def message_of(booking: Booking, kind: MessageType, data: Mapping[str, Any]) -> tuple[str, BookingMessage]:
    """Return a message about the booking, of its own source, and what it says. Raises InvalidMessage.

    A cancellation has no revision: it cancels all that is known. A change has the next one where the booking system
    gives revisions.
    """
    fields = {"booking_id": booking.booking_id, **data}
    given = given_revision(booking)
    if kind is not MessageType.CANCELLED and given is not None:
        fields["revision"] = given + 1
    envelope = {
        "specversion": "1.0",
        "id": f"oracode-{uuid4()}",
        "source": source_of(booking) or "",
        "type": kind,
        "data": fields,
    }
    text = json.dumps(envelope)
    return text, parse_booking_message(text)


def changed_data(booking: Booking, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a booking asks for, with `changes` of its fields: those that are None stay as they are.

    `time_zone` is the zone of the times among the changes; without any, it is that of the booking's own local times.
    """
    data: dict[str, Any] = {**_asked(booking), "label": booking.label}
    given = {name: value for name, value in changes.items() if value is not None}
    if "unit" in given:
        data.pop("device_ids", None)
    if "device_ids" in given:
        data.pop("unit", None)
    zone = given.pop("time_zone", None)
    if zone is not None:
        # Written behind each time that it is for: the others have their own, or are on the lock's clock.
        times = given if any(name in given for name in _TIMES) else data
        given |= {name: _in_zone(str(times[name]), zone) for name in _TIMES if name in times}
    return {name: value for name, value in (data | given).items() if value is not None}


def check(settings: Settings, message: BookingMessage) -> None:
    """Check what the worker would check of a change, as far as DOORS_FILE is known here. Raises InvalidMessage."""
    if message.type is MessageType.CANCELLED:
        return
    units = known_units(settings)
    if units is None:
        return
    rules = None
    if message.unit is not None:
        rules = units.get(message.unit)
        if rules is None:
            raise InvalidMessage((unknown_unit(message.unit),))
    stay_of(message, rules)


def known_units(settings: Settings) -> Mapping[str, UnitRules] | None:
    """Return what DOORS_FILE says; None where it isn't set. Ends the command with 2 where it can't be used."""
    if settings.doors_file is None:
        return None
    try:
        return units_of(settings)
    except InvalidDoorsFile as invalid:
        click.echo(f"DOORS_FILE {invalid}", err=True)
        raise SystemExit(2) from None


def asks_for_nothing_new(booking: Booking, message: BookingMessage) -> bool:
    """Say whether a change asks for what the booking's newest message asked for."""
    return asked_of(message) == booking.asked and message.label == booking.label


def is_over(booking: Booking) -> str | None:
    """Return why nothing can be changed or cancelled any more; None where it can."""
    if booking.cancelled:
        return "is cancelled already"
    if booking.state is State.ENDED:
        return "has ended"
    return None


def print_problems(problems: tuple[Problem, ...]) -> None:
    """Print what is wrong, a line each."""
    for problem in problems:
        click.echo(printable(str(problem)), err=True)


def _asked(booking: Booking) -> dict[str, Any]:
    if booking.asked:
        asked: dict[str, Any] = json.loads(booking.asked)
        return asked
    # A record of an older version has only what was made of the message, with the unit's defaults and buffers.
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
    """Return a local time with this zone behind it; any other text as it is."""
    try:
        read = parse_booking_time(text)
    except UnreadableBookingTime:
        return text
    return written_time(replace(read, time_zone=zone)) if isinstance(read, WallTime) else text
