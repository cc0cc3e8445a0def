"""`oracode bookings cancel` and `change`: makes the message as the booking's own booking system would."""

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
        "id": f"oracode-{uuid4()}",
        "source": source_of(booking) or "",
        "type": kind,
        "data": fields,
    }
    text = json.dumps(envelope)
    return text, parse_booking_message(text)


def changed_data(booking: Booking, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the booking's message with these `changes`; fields that are None don't change.

    `time_zone` is the zone of the times in `changes`; without any, it is that of the booking's own local times.
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


def check(settings: Settings, message: BookingMessage) -> None:
    """Check a change as the worker would, as far as DOORS_FILE is known here. Raises InvalidMessage."""
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
    """Return the units of DOORS_FILE; None if it isn't set. Ends the command with 2 if it can't be used."""
    if settings.doors_file is None:
        return None
    try:
        return units_of(settings)
    except InvalidDoorsFile as invalid:
        click.echo(f"DOORS_FILE {invalid}", err=True)
        raise SystemExit(2) from None


def asks_for_nothing_new(booking: Booking, message: BookingMessage) -> bool:
    """Say whether a change asks for the same as the booking's newest message."""
    return asked_of(message) == booking.asked and message.label == booking.label


def is_over(booking: Booking) -> str | None:
    """Return why the booking can't be changed or cancelled any more; None if it can."""
    if booking.cancelled:
        return "is cancelled already"
    if booking.state is State.ENDED:
        return "has ended"
    return None


def print_problems(problems: tuple[Problem, ...]) -> None:
    """Print the problems, one per line."""
    for problem in problems:
        click.echo(printable(str(problem)), err=True)


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
