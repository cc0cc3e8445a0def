"""The error for a booking that the ledger doesn't have: which ids are similar, and which of its messages are parked."""

from typing import NoReturn

import click

from shared.clock import system_clock
from shared.domain.booking.record import Booking
from shared.domain.messages.booking_id import booking_id_of
from shared.domain.messages.hints import hints_of
from shared.domain.near_names import near
from shared.ledger.bookings import UnknownBooking
from shared.refused_messages import RefusedMessages, refused_line
from worker.cli.printable import printable
from worker.ports import Ports


def find_booking(ports: Ports, booking_id: str) -> Booking:
    """Return the booking. If there is none, print similar ids and end the command with 1."""
    try:
        return ports.ledger.get(booking_id_of(booking_id))
    except UnknownBooking:
        end_unknown(ports, booking_id_of(booking_id))


def end_unknown(ports: Ports, booking_id: str) -> NoReturn:
    """Print that there is no such booking, with hints, and end the command with 1."""
    click.echo(printable(f"There is no booking {booking_id!r} in the ledger.{_hint(ports, booking_id)}"), err=True)
    raise SystemExit(1)


def _hint(ports: Ports, booking_id: str) -> str:
    parked = [
        entry.parked_id for entry in ports.parked.list() if hints_of(entry.parked.message).booking_id == booking_id
    ]
    if parked:
        return f" A message of it is parked: see `oracode parked show {parked[-1]}`."
    refused = RefusedMessages(ports.redis).of_booking(booking_id, system_clock())
    if refused:
        return f" {refused_line(refused[0])}"
    found = near(booking_id, ports.ledger.ids())
    return f" Did you mean {' or '.join(found)}?" if found else ""
