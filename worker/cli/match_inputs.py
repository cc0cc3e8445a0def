"""Reads the input of `match`, `slots` and `coverage`: a device from a file or from Seam, bookings from a file.

Every unusable input becomes `UnusableInput` (exit code 2), an unreachable service `Unreachable` (exit code 3).
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem, stay_of
from shared.domain.quoting import quoted
from shared.domain.stay.stay import Stay, UnitRules

DONE, NO, UNUSABLE, UNREACHABLE = 0, 1, 2, 3
"""Exit codes of every command."""

LARGEST_FILE = 512 * 1024 * 1024


class UnusableInput(Exception):
    """An input can't be used; the text says which and why, in one printable line for each problem."""


class Unreachable(Exception):
    """A service that the command needs can't be reached."""


@contextmanager
def exit_if_unusable() -> Iterator[None]:
    """End the command with UNUSABLE or UNREACHABLE if the block raises UnusableInput or Unreachable; print the text."""
    try:
        yield
    except UnusableInput as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    except Unreachable as error:
        click.echo(str(error), err=True)
        sys.exit(UNREACHABLE)


def is_file(device: str) -> bool:
    """Say whether `device` is a file (`-`: standard input), not a device id."""
    try:
        return device == "-" or Path(device).exists()
    except (OSError, ValueError):
        return False


def load_door(device: str) -> Door:
    """Return the door of a device file, or of a device id at Seam."""
    if is_file(device):
        return _door(load_json(device), device)
    if "/" in device or device.endswith(".json"):
        raise UnusableInput(f"{quoted(device)}: there is no such file")
    try:
        device_id = device_id_of(device)
    except NotADeviceId as error:
        raise UnusableInput(f"{error}, and there is no such file: {RIGHT_DEVICE_ID}, or a file") from None
    return _door(_device_from_seam(device_id), device)


def load_json(path: str) -> Any:
    """Return the JSON value in a file."""
    try:
        return json.loads(read(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as broken:
        why = f"not JSON: {broken}" if isinstance(broken, ValueError) else "nested too deeply"
        raise UnusableInput(f"{quoted(path)}: {why}") from None


def read(path: str) -> bytes:
    """Return the content of a file, or of standard input for `-`."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(LARGEST_FILE)
        with Path(path).open("rb") as file:
            return file.read(LARGEST_FILE)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnusableInput(f"{quoted(path)}: {why}") from None


def split_messages(raw: bytes) -> list[bytes]:
    """Return the messages in a file: its lines if it is JSON Lines, else the whole content.

    A file is JSON Lines if it isn't one JSON value, and one of its lines is a JSON object.
    """
    lines = [line for line in raw.splitlines() if line.strip()]
    if len(lines) > 1 and not _is_json(raw) and any(_is_object(line) for line in lines):
        return lines
    return [raw]


def load_rules(path: str | None) -> Mapping[str, UnitRules]:
    """Return the rules of a doors file; empty without a file."""
    if path is None:
        return {}
    from shared.doors_file import InvalidDoorsFile, load_doors_file  # noqa: PLC0415 - needs yaml

    try:
        return load_doors_file(Path(path))
    except InvalidDoorsFile as invalid:
        raise UnusableInput(str(invalid)) from None


def stay_for(message: BookingMessage, rules: Mapping[str, UnitRules]) -> Stay:
    """Return the stay that a message asks for. Raises InvalidMessage.

    If there is a doors file, an unknown unit is an error.
    """
    if message.type is MessageType.CANCELLED:
        wrong = "booking.cancelled asks for nothing that could be matched"
        raise InvalidMessage((Problem("type", wrong, "give a booking that is to take place"),))
    if message.unit is not None and rules and message.unit not in rules:
        wrong = f"{quoted(message.unit)} is not in the doors file"
        raise InvalidMessage((Problem("unit", wrong, "add it there, or give device_ids"),))
    return stay_of(message, rules.get(message.unit) if message.unit is not None else None)


def _door(device: Any, named: str) -> Door:
    try:
        return door_from_device(device)
    except NotADoor as error:
        raise UnusableInput(f"{quoted(named)}: {error}") from None


def _device_from_seam(device_id: str) -> Mapping[str, Any]:
    from shared.seam.errors import Refused, SeamError  # noqa: PLC0415 - nor this
    from worker.cli.context import fetch_device  # noqa: PLC0415 - files must not need it

    try:
        return fetch_device(device_id)
    except Refused as error:
        raise UnusableInput(f"{quoted(device_id)}: no file, and no device of Seam: {error}") from None
    except (SeamError, OSError) as error:
        raise Unreachable(f"Seam can't be asked for {quoted(device_id)}: {error}") from None


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _is_object(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and _is_json(line)
