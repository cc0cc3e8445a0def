"""`oracode codes`: shows the PIN of a booking, read from Seam and never stored (audited first); tests a door."""

import getpass
import json
import socket
from contextlib import closing
from functools import partial

import click

from shared.clock import system_clock
from shared.domain.booking import transitions
from shared.domain.booking.record import BookedDoor
from shared.seam.access_codes import AccessCodes
from worker.cli.context import open_ledger, settings_for
from worker.cli.printable import printable
from worker.cli.unknown_ids import find_booking
from worker.ports import seam_client


@click.group("codes", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Reveal a booking's PIN (audited), or try a door with a test code."""


@command.command()
@click.argument("booking_id")
@click.option("--by", default="", help="Who asks, for the audit; the user of this machine unless given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per door.")
def reveal(booking_id: str, *, by: str, as_json: bool) -> None:
    """Print the PIN of each of the booking's doors. Exit 1 if a door has none to show; these doors are named."""
    _, ports = open_ledger()
    booking = find_booking(ports, booking_id)
    who = by or f"{getpass.getuser()}@{socket.gethostname()}"
    missing: list[BookedDoor] = []
    shown = 0
    with closing(seam_client(settings_for("REDIS_URL", "SEAM_API_KEY"))) as client:
        codes = AccessCodes(client)
        for door in booking.doors:
            # A later code of a split stay is made when its time comes; until then it is no reason for exit code 1.
            if not door.wanted or (door.part > 1 and door.code is None):
                continue
            pin = None
            if door.code is not None:
                key, now = door.key, system_clock()
                # The audit comes first: no PIN may be shown without a record of it.
                audited = partial(transitions.record_pin_reveal, key=key, by=who, now=now)
                booking = ports.ledger.record(booking, audited)
                pin = codes.pin(door.code.access_code_id)
            if pin is None:
                missing.append(door)
            shown += pin is not None
            _print(door, pin.get_secret_value() if pin else None, as_json=as_json)
    for door in missing:
        why = door.reason or ("no PIN at Seam yet" if door.code else str(door.state))
        click.echo(f"No PIN for {printable(door.name or door.device_id)}: {why}.", err=True)
    if missing or not shown:
        click.echo(f"{booking_id} has no PIN to show there: see `oracode bookings show {booking_id}`.", err=True)
        raise SystemExit(1)


@command.command("test")
@click.argument("device")
@click.option("--slot", help="Only this slot, by name or user level id; else the one whose check-in comes next.")
@click.option("--yes", is_flag=True, help="Don't ask. Needed where there is no terminal.")
@click.option("--wait", default="1h", show_default=True, help="How long to follow it at most, such as 90s or 10m.")
@click.option("--by", default="", help="Who asks, for the booking's story; your user name where it isn't given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def test_door(*, device: str, slot: str | None, yes: bool, wait: str, by: str, as_json: bool) -> None:
    """Make a code for the next stay on a slot of the door DEVICE, and follow it until it is usable.

    Use it after a door's slots were changed, for example. The code can't be taken back, so the command asks first.
    Exit 0 if the code is usable, 1 if it isn't, 2 if the input can't be used.
    """
    from worker.cli import codes_trial  # noqa: PLC0415 - not for a PIN

    codes_trial.run(device, slot=slot, yes=yes, as_json=as_json, wait=wait, by=by[:80])


def _print(door: BookedDoor, pin: str | None, *, as_json: bool) -> None:
    code = door.code
    if as_json:
        content = {"device_id": door.device_id, "access_code_id": code.access_code_id if code else None, "pin": pin}
        click.echo(json.dumps(content))
    elif code is not None:
        until = f"{code.window.starts_at:%Y-%m-%d %H:%M} to {code.window.ends_at:%Y-%m-%d %H:%M}"
        click.echo(f"{printable(door.name or door.device_id)}: {pin or 'no PIN yet'}  ({until})")
