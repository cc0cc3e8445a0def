"""`oracode bookings reissue`: a new code for a door, if the old one is lost or compromised. It asks first."""

from contextlib import closing
from typing import NoReturn

import click

from shared.clock import system_clock
from shared.domain.booking.record import AccessCode, BookedDoor, Booking
from shared.domain.booking.reissue_preview import preview_of
from shared.domain.booking.transitions import NotReissued, why_not_reissued
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.planning_rules import planning_rules
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import SeamError
from shared.settings import Settings
from worker.cli.context import fetch_device, user_name
from worker.cli.printable import printable
from worker.handlers.reissue_code import ReissueCode
from worker.ports import Ports, seam_client


def reissue(
    settings: Settings, ports: Ports, booking: Booking, *, door_key: str | None, reason: str, by: str, agreed: bool
) -> None:
    """Print the consequences, ask, and order the new code. Exit code 1 if it can't be done, or the answer is no."""
    door, code = _door_and_code(booking, door_key)
    with closing(seam_client(settings)) as client:
        codes = AccessCodes(client)
        for sentence in preview_of(door, code, may_be_deleted=_may_be_deleted(codes, code)):
            click.echo(printable(sentence))
        if not agreed and not click.confirm("Make a new code?", default=False, err=True):
            _refuse(booking, "you said no")
        who = by[:80] or user_name()
        use_case = _use_case(settings, ports, codes)
        try:
            done = use_case(booking, door.key, access_code_id=code.access_code_id, by=who, reason=reason)
        except (NotReissued, SeamError, NotADoor) as refusal:
            _refuse(booking, str(refusal))
    what = "A new code is made" if done.is_news else "A new code was asked for already"
    shown = printable(booking.booking_id)
    click.echo(f"{what}; follow it with `oracode bookings show {shown}`.")


def _use_case(settings: Settings, ports: Ports, codes: AccessCodes) -> ReissueCode:
    return ReissueCode(
        ledger=ports.ledger,
        codes=codes,
        read_door=_read_door,
        rules=planning_rules(settings),
        clock=system_clock,
    )


def _door_and_code(booking: Booking, door_key: str | None) -> tuple[BookedDoor, AccessCode]:
    """Return the named door, or the only one, and its code. Ends the command with 1 if there is none."""
    wanted = [door for door in booking.doors if door.wanted]
    found = [door for door in wanted if door_key in (None, door.key)]
    if len(found) != 1:
        keys = ", ".join(door.key for door in wanted) or "none"
        _refuse(booking, f"name one of its doors with --door: {keys}")
    if why := why_not_reissued(booking, found[0], system_clock()):
        _refuse(booking, why)
    code = found[0].code
    if code is None:
        _refuse(booking, "there is no code for this door")
    return found[0], code


def _may_be_deleted(codes: AccessCodes, code: AccessCode) -> bool | None:
    try:
        report = codes.get(code.access_code_id)
    except SeamError:
        return None
    return report.flags.may_be_revoked if report is not None else None


def _read_door(device_id: str) -> Door:
    return door_from_device(fetch_device(device_id))


def _refuse(booking: Booking, why: str) -> NoReturn:
    click.echo(printable(f"{booking.booking_id}: no new code was asked for: {why}."), err=True)
    raise SystemExit(1)
