"""`oracode bookings choose`: lists the slots that a person may choose for a booking that fits none, or chooses one."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

import click

from shared.clock import system_clock
from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.matching.manual_options import Choosable, Judged
from shared.seam.errors import Refused
from shared.settings import Settings
from worker.cli.context import fetch_device, user_name
from worker.cli.printable import printable
from worker.handlers.choose_slot import ChooseSlot, NotChosen
from worker.ports import Ports


def list_choices(settings: Settings, ports: Ports, booking: Booking, device_id: str | None) -> None:
    """Print what each slot would mean, and why others can't be chosen. Exit code 1 if none can be chosen."""
    try:
        found = _use_case(settings, ports).choices(booking, device_id)
    except (NotChosen, Refused, NotADoor) as refusal:
        _refuse(booking, str(refusal))
    for door, choices in found:
        for line in _lines(door, choices):
            click.echo(printable(line))
    if not any(isinstance(each, Choosable) for _, choices in found for each in choices):
        raise SystemExit(1)


def choose(settings: Settings, ports: Ports, booking: Booking, slot: str, *, device_id: str | None, by: str) -> None:
    """Choose the slot, and print the times of its code. Exit code 1 if it can't be chosen."""
    try:
        chosen = _use_case(settings, ports).choose(booking, slot, door_key=device_id, by=by[:80] or user_name())
    except (NotChosen, Refused, NotADoor) as refusal:
        _refuse(booking, str(refusal))
    for each in chosen:
        offer = each.offer
        what = "" if each.is_news else "was chosen before: "
        text = f"{_name_of(each.door)}: {what}{offer.name}, {_span(offer.starts_at, offer.ends_at)}; {offer.meaning}."
        click.echo(printable(text))
    click.echo(f"Follow it with `oracode bookings show {printable(booking.booking_id)}`.")


def _refuse(booking: Booking, why: str) -> NoReturn:
    click.echo(printable(f"{booking.booking_id}: nothing was chosen: {why}."), err=True)
    raise SystemExit(1)


def _use_case(settings: Settings, ports: Ports) -> ChooseSlot:
    return ChooseSlot(ledger=ports.ledger, read_door=_read_door, policy=settings.match_policy, clock=system_clock)


def _read_door(device_id: str) -> Door:
    return door_from_device(fetch_device(device_id))


def _lines(door: BookedDoor, choices: tuple[Judged, ...]) -> Iterator[str]:
    yield _name_of(door)
    names = Counter(each.slot.name for each in choices if each.slot)
    for each in choices:
        if isinstance(each, Choosable):
            span = _span(each.starts_at, each.ends_at)
            # Only if the name isn't enough.
            level = f" (user level {each.reference})" if names[each.slot.name] > 1 or not each.slot.name else ""
            yield f"  {each.slot.name or '(no name)'}{level}: {span}; {each.meaning}"
    for each in choices:
        if not isinstance(each, Choosable):
            name = (each.slot.name if each.slot else "") or "(no name)"
            yield f"  {name}: can't be chosen: {each.why}"
    if not choices:
        yield "  The door has no time slots."


def _name_of(door: BookedDoor) -> str:
    return f"{door.name} {door.device_id}".strip()


def _span(starts_at: datetime, ends_at: datetime) -> str:
    return f"{starts_at:%a %Y-%m-%d %H:%M} to {ends_at:%a %Y-%m-%d %H:%M}"
