"""Bookings and devices for `oracode coverage`, as exports have them: JSON Lines, CSV, device lists.

One unusable booking in a year's export must not stop the count: it is set aside with the reason.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.door.device_id import NotADeviceId, device_id_of
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.messages.message import BookingMessage, InvalidMessage
from shared.domain.messages.parse import parse_booking_message
from shared.domain.quoting import quoted
from shared.domain.stay.stay import Stay, UnitRules
from worker.cli.match_inputs import UnusableInput, read, split_messages, stay_for

MOST_REASONS = 10
"""The most reasons that are kept for the output; further unusable bookings are only counted."""


@dataclass(slots=True)
class SkippedBookings:
    """Bookings that couldn't be used: how many, and the reasons of the first ones."""

    count: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, place: int, reason: str) -> None:
        """Set the booking at `place` (counted from 1) aside."""
        self.count += 1
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(f"booking {place}: {reason}")


def load_doors(paths: Sequence[str]) -> dict[str, Door]:
    """Return the doors in device files, by device id.

    A file holds one device, an answer of `devices/list`, a JSON list, or JSON Lines of devices.
    """
    doors: dict[str, Door] = {}
    for path in paths:
        for device in _devices(path):
            try:
                door = door_from_device(device)
                device_id = device_id_of(door.device_id)
            except (NotADoor, NotADeviceId) as error:
                raise UnusableInput(f"{quoted(path)}: {error}") from None
            doors[device_id] = door
    if not doors:
        raise UnusableInput("there is no device to count bookings for")
    return doors


def load_bookings(path: str, only_door: str | None) -> list[bytes | Mapping[str, Any]]:
    """Return the messages in a file of JSON Lines or CSV. They aren't parsed yet, so none can fail here.

    `only_door` is the door of bookings that name none; None if there are several doors.
    """
    raw = read(path)
    if path.lower().endswith(".csv") or not raw.lstrip().startswith((b"{", b"\xef\xbb\xbf{")):
        return [_row(row, place, only_door) for place, row in enumerate(_rows(raw, path), 1)]
    return list(split_messages(raw))


def stays_at_doors(
    messages: Sequence[bytes | Mapping[str, Any]],
    doors: Mapping[str, Door],
    rules: Mapping[str, UnitRules],
    aside: SkippedBookings,
) -> Iterator[list[tuple[Stay, Door]]]:
    """Yield, for each message, its stays with their doors."""
    for place, raw in enumerate(messages, 1):
        try:
            message = parse_booking_message(raw)
            stay = stay_for(message, rules)
        except InvalidMessage as invalid:
            aside.add(place, str(invalid))
            yield []
            continue
        at = [doors[one] for one in _device_ids(message, rules) if one in doors]
        if not at:
            aside.add(place, "none of its doors is among the devices")
        yield [(stay, door) for door in at]


def _device_ids(message: BookingMessage, rules: Mapping[str, UnitRules]) -> Sequence[str]:
    if message.unit is not None:
        return rules[message.unit].device_ids if message.unit in rules else ()
    return message.device_ids


def _devices(path: str) -> Iterator[Any]:
    raw = read(path)
    for part in split_messages(raw):
        try:
            content = json.loads(part)
        except (ValueError, RecursionError):
            raise UnusableInput(f"{quoted(path)}: not JSON") from None
        listed = content.get("devices") if isinstance(content, dict) else content
        if isinstance(listed, list):
            yield from listed
        else:
            yield content


def _rows(raw: bytes, path: str) -> Iterator[dict[str, str]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{quoted(path)}: not UTF-8 at byte {error.start}") from None
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
        missing = {"check_in", "check_out"} - {_name(one) for one in reader.fieldnames or ()}
        if missing:
            columns = ", ".join(sorted(missing))
            raise UnusableInput(f"{quoted(path)}: neither JSON Lines nor CSV with {columns}")
        for row in reader:
            yield {_name(name): value.strip() for name, value in row.items() if isinstance(value, str)}
    except csv.Error as error:
        raise UnusableInput(f"{quoted(path)}: not CSV: {error}") from None


def _name(column: str | None) -> str:
    return (column or "").strip().lower()


def _row(row: Mapping[str, str], place: int, only_door: str | None) -> dict[str, Any]:
    """Return a row as a message, without its empty cells."""
    fields = ("unit", "check_in", "check_out", "time_zone", "granularity", "slot")
    message: dict[str, Any] = {name: row[name] for name in fields if row.get(name)}
    message["booking_id"] = row.get("booking_id") or f"row {place}"
    ids = row.get("device_ids") or row.get("device_id") or ""
    listed = ids.replace(";", " ").replace(",", " ").split()
    if listed:
        message["device_ids"] = listed
    elif "unit" not in message and only_door is not None:
        message["device_ids"] = [only_door]
    return message
