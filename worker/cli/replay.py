"""`oracode replay`: publishes the bookings of a traffic file to a sandbox, and shows which decisions differ now."""

import json
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import click
import httpx

from shared.booking_stream import BookingStream
from shared.clock import system_clock
from shared.domain.booking.record import Booking
from shared.domain.messages.message import InvalidMessage, MessageType
from shared.domain.messages.parse import parse_booking_message
from shared.domain.times.durations import parse_duration
from shared.ledger.bookings import UnknownBooking
from shared.settings import Settings
from worker.cli.context import open_ledger
from worker.cli.printable import printable
from worker.cli.traffic import (
    NotTraffic,
    Traffic,
    TrafficBooking,
    Verdict,
    difference,
    read_traffic,
    shift_for,
    verdicts_of,
)
from worker.ports import Ports

_POLL: Final = 0.5
_ANSWER_WITHIN: Final = 10.0
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@click.command("replay", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait", default="5m", show_default=True, help="How long to wait for all decisions at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per booking.")
def command(*, file: Path, wait: str, as_json: bool) -> None:
    """Publish the bookings of FILE, written by `oracode events export`, to a system with a sandbox in Seam's place.

    Bookings and doors get new ids, and all stays are moved by whole weeks into the future. Exit 0 if all decisions
    are the same, 1 if one differs or isn't made in time, 2 if the file or the system can't be used. Start the system
    with CREATE_LEAD_TIME=366d: otherwise codes of later stays aren't due, and can't be compared.
    """
    try:
        within = parse_duration(wait)
        traffic = read_traffic(file.read_text(encoding="utf-8"))
    except (NotTraffic, ValueError) as error:
        click.echo(f"{file}: {error}", err=True)
        raise SystemExit(2) from None
    settings, ports = open_ledger()
    doors = _add_doors(settings, traffic)
    shift = shift_for(traffic, system_clock())
    run = uuid4().hex[:6]
    names = {f"REPLAY-{run}-{number}": each for number, each in enumerate(traffic.bookings, start=1)}
    for booking_id, each in names.items():
        _publish(settings, ports, each, booking_id, each.message(booking_id, doors, shift))
    awaited = {booking_id for booking_id, each in names.items() if each.is_comparable}
    decided = _follow(ports, awaited, time.monotonic() + within.total_seconds())
    told = {device_id: old for old, device_id in doors.items()}
    findings = {booking_id: _finding(each, decided.get(booking_id), told, shift) for booking_id, each in names.items()}
    for booking_id, each in names.items():
        finding = findings[booking_id]
        if as_json:
            line = {"booking": each.name, "replayed_as": booking_id, "difference": finding}
            click.echo(json.dumps({**line, "is_compared": each.is_comparable}))
        elif finding:
            click.echo(printable(f"{each.name} ({booking_id}): {finding}"))
    if not as_json:
        click.echo(_summary(traffic.bookings, different=sum(map(bool, findings.values()))))
    sys.exit(1 if any(findings.values()) else 0)


def _summary(bookings: Collection[TrafficBooking], *, different: int) -> str:
    incomparable = sum(not each.is_comparable for each in bookings)
    same = len(bookings) - incomparable - different
    return (
        f"{len(bookings)} bookings: {same} decided as before, {different} not; {incomparable} can't be compared"
        " (cancelled, under way, failed at Seam, or a person chose the slot)."
    )


def _add_doors(settings: Settings, traffic: Traffic) -> dict[str, str]:
    """Add each door to the sandbox under a new id; return the new ids by the old ones. Exit 2 without a sandbox."""
    if urlsplit(settings.seam_endpoint).hostname not in _LOCAL:
        click.echo("SEAM_ENDPOINT is no sandbox of this machine: nothing was done. Start one: `oracode up`.", err=True)
        raise SystemExit(2)
    ids = {device_id: str(uuid4()) for device_id in traffic.doors}
    try:
        with httpx.Client(base_url=settings.seam_endpoint, timeout=_ANSWER_WITHIN) as sandbox:
            for device_id, device in traffic.doors.items():
                sandbox.post(
                    "/sandbox/devices", json={"device": {**device, "device_id": ids[device_id]}}
                ).raise_for_status()
    except httpx.HTTPError as error:
        click.echo(f"The sandbox doesn't take a door ({type(error).__name__}): is SEAM_ENDPOINT one?", err=True)
        raise SystemExit(2) from None
    return ids


def _publish(
    settings: Settings, ports: Ports, each: TrafficBooking, booking_id: str, fields: Mapping[str, Any]
) -> None:
    """Publish a booking, and its cancellation if it was cancelled. Exit 2 if it can't be used."""
    stream = BookingStream(ports.redis, settings.booking_stream)
    kinds = [MessageType.CREATED, *([MessageType.CANCELLED] if each.cancelled else [])]
    for number, kind in enumerate(kinds):
        data = fields if kind is MessageType.CREATED else {"booking_id": booking_id}
        envelope = {
            "specversion": "1.0",
            "id": f"{booking_id}/{number}",
            "source": "/oracode/replay",
            "type": kind,
            "data": data,
        }
        text = json.dumps(envelope)
        try:
            stream.append(text, parse_booking_message(text))
        except InvalidMessage as invalid:
            click.echo(printable(f"{each.name} can't be published: {invalid}"), err=True)
            raise SystemExit(2) from None


def _follow(ports: Ports, awaited: AbstractSet[str], until: float) -> dict[str, Booking]:
    """Return the bookings when all are decided, or those that are decided when the time is over."""
    decided: dict[str, Booking] = {}
    while len(decided) < len(awaited) and time.monotonic() < until:
        decided |= {each.booking_id: each for each in _decided(ports, awaited - decided.keys())}
        time.sleep(0 if len(decided) == len(awaited) else _POLL)
    return decided


def _decided(ports: Ports, open_ids: Iterable[str]) -> Iterator[Booking]:
    for booking_id in open_ids:
        try:
            booking = ports.ledger.get(booking_id)
        except UnknownBooking:
            continue
        if verdicts_of(booking):
            yield booking


def _finding(each: TrafficBooking, booking: Booking | None, told: Mapping[str, str], shift: timedelta) -> str:
    """Return what differs; empty if nothing does, or if there is nothing to compare."""
    if not each.is_comparable:
        return ""
    if booking is None:
        return "was not decided in time"
    return difference(each, tuple(_under_old_id(verdict, told) for verdict in verdicts_of(booking, shift=shift)))


def _under_old_id(verdict: Verdict, told: Mapping[str, str]) -> Verdict:
    return replace(verdict, device_id=told.get(verdict.device_id, verdict.device_id))
