"""`oracode bookings cancel` and `change`: what DOORS_FILE says of a message that is to be sent, and what is wrong."""

from collections.abc import Mapping

import click

from shared.clock import system_clock
from shared.domain.booking.own_message import check_change
from shared.domain.booking.record import Booking
from shared.domain.messages.message import BookingMessage, MessageType, Problem
from shared.domain.stay.stay import UnitRules
from shared.doors_file import InvalidDoorsFile
from shared.settings import Settings
from worker.cli.printable import printable
from worker.ports import units_of


def check(settings: Settings, booking: Booking, message: BookingMessage) -> None:
    """Check a change as the worker would, as far as DOORS_FILE is known here. Raises InvalidMessage."""
    if message.type is MessageType.CANCELLED:
        return
    units = known_units(settings)
    if units is None and message.unit is not None:
        return
    check_change(booking, message, units or {}, now=system_clock())


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
