"""`oracode bookings cancel` and `change`: what DOORS_FILE says of a message that is to be sent, and what is wrong."""

from collections.abc import Mapping

import click

from shared.clock import system_clock
from shared.domain.booking.ended_on_purpose import CHANGE_ASKED, ends_by_message
from shared.domain.booking.own_message import check_change, ends_by, rules_as_booked, rules_for
from shared.domain.booking.record import Booking, HistoryEntry
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem, stay_of
from shared.domain.stay.stay import UnitRules
from shared.doors_file import InvalidDoorsFile
from shared.settings import Settings
from worker.cli.context import user_name
from worker.cli.printable import printable
from worker.ports import Ports, units_of


def check(settings: Settings, booking: Booking, message: BookingMessage) -> None:
    """Check a change as the worker would, as far as DOORS_FILE is known here. Raises InvalidMessage."""
    if message.type is MessageType.CANCELLED:
        return
    units = known_units(settings)
    if units is None and message.unit is not None:
        return
    check_change(booking, message, units or {}, now=system_clock())


def ends(settings: Settings, booking: Booking, message: BookingMessage) -> bool:
    """Say whether the booking ends for good by a change, on the clocks of its locks.

    Without DOORS_FILE here, a unit's times and buffers are as the booking shows them.
    """
    units = known_units(settings)
    rules = rules_as_booked(booking, message) if units is None else rules_for(message, units)
    device_ids = rules.device_ids if rules is not None else message.device_ids
    try:
        stay = stay_of(message, rules)
    except InvalidMessage:
        # What the unit would add isn't known here: the worker judges it.
        return False
    return ends_by(booking, stay, device_ids, {}, now=system_clock())


def note_that_it_ends(ports: Ports, booking: Booking, message: BookingMessage) -> None:
    """Write into the booking's story who ends it by this message, knowing that: nobody is told of it then."""
    text = f"{user_name()} asked to end the booking by times that are over."
    facts = ends_by_message(message.message_id)
    ports.ledger.note(booking.booking_id, HistoryEntry(at=system_clock(), what=CHANGE_ASKED, text=text, facts=facts))


def known_units(settings: Settings) -> Mapping[str, UnitRules] | None:
    """Return the units of DOORS_FILE; None if it isn't set. Ends the command with 2 if it can't be used."""
    if settings.doors_file is None:
        return None
    try:
        return units_of(settings)
    except InvalidDoorsFile as invalid:
        click.echo(f"DOORS_FILE {invalid}", err=True)
        raise SystemExit(2) from None


def print_problems(problems: tuple[Problem, ...]) -> None:
    """Print the problems, one per line."""
    for problem in problems:
        click.echo(printable(str(problem)), err=True)
