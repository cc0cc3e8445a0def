"""Runs `oracode match` on a device file and a booking."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from tests.domain.building import device, vendor_slot
from worker.cli.match import command

DEVICE = device(
    vendor_slot("16:00:00[America/Los_Angeles]", "10:00:00[America/Los_Angeles]", name="Guest 4pm-10am"),
    vendor_slot("00:00[America/Los_Angeles]", "00:00[America/Los_Angeles]", name="Owner", is_master=True),
)
FITS = {
    "booking_id": "BK-1001",
    "device_ids": ["11111111-1111-1111-1111-444444444444"],
    "check_in": "2026-12-01T15:45:00-08:00",
    "check_out": "2026-12-05T10:15:00-08:00",
}
MISSES = FITS | {"booking_id": "BK-1002", "check_in": "2026-12-01T14:00"}
LONG = FITS | {"booking_id": "BK-1004", "check_out": "2027-01-20T10:00:00-08:00"}

# A group of its own: importing the real one would import every command.
cli = click.Group(commands={"match": command})


def run(files: Path, booking: Any, *more: str, env: Mapping[str, str] | None = None) -> Result:
    """Run the command on the device file and a booking."""
    path = files / "booking.json"
    if isinstance(booking, bytes):
        path.write_bytes(booking)
    else:
        path.write_text(booking if isinstance(booking, str) else json.dumps(booking))
    args = ["match", "--device", str(files / "device.json"), "--booking", str(path), *more]
    result = CliRunner().invoke(cli, args, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result
