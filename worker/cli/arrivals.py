"""`oracode arrivals`: the pre-arrival check, on demand."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from shared.clock import system_clock
from shared.domain.alerting.arrivals import Arrival, Readiness, told_beside
from shared.domain.booking.parked_message import is_alive
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import Booking
from shared.domain.booking.stay_times import check_in_of
from shared.domain.messages.hints import hints_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.stay.instants import CheckIn
from shared.ledger.arrivals import LOOK_BACK, arrivals_between, inside_without_code
from shared.parked import ParkedEntry
from shared.parked_of_bookings import told_of
from worker.alerts.composing import NO_ZONE_YET
from worker.cli.bookings_view import clean, console
from worker.cli.context import open_ledger
from worker.cli.parked import parked_line
from worker.ports import Ports

_REASONS = {
    ParkedKind.CHANGE: Reason.CHANGE_PARKED,
    ParkedKind.CANCELLATION: Reason.CANCELLATION_PARKED,
}
_COLOURS = {Readiness.READY: "green", Readiness.ON_ITS_WAY: "blue", Readiness.AT_RISK: "bold red"}


@click.command("arrivals", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--hours", type=click.IntRange(1, 24 * 62), default=48, show_default=True, help="How far ahead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def command(*, hours: int, as_json: bool) -> None:
    """List who arrives in the next hours, the nearest first, and whether the door will open.

    `on its way`: nothing is wrong. Seam confirms a code about an hour before its start. Guests whose stay has begun
    without a code come first. Exit 1 if anybody is at risk.
    """
    now = system_clock()
    since, until = now - LOOK_BACK, now + timedelta(hours=hours)
    _, ports = open_ledger()
    arrivals = [
        *inside_without_code(since, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues),
        *arrivals_between(since, until, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues),
    ]
    parked = list(_parked(ports, since, until))
    if as_json:
        for each in parked:
            click.echo(json.dumps(_parked_object(each)))
        for arrival in arrivals:
            issues = [issue.as_json() for issue in arrival.issues]
            told = asdict(arrival) | {"check_in": arrival.on_lock_clock.isoformat(), "issues": issues}
            told |= {name: at and at.isoformat() for name, at in _window(arrival).items()}
            click.echo(json.dumps({name: value for name, value in told.items() if name != "wall_check_in"}))
    elif arrivals:
        console().print(_table(arrivals))
        click.echo(_summary(arrivals, hours))
    elif not parked:
        click.echo(f"Nobody arrives in the next {hours} hours.")
    for each in parked if not as_json else ():
        at = f"{each.check_in:%Y-%m-%d %H:%M}"
        click.echo(f"Check-in {at}: {parked_line(each.entry, each.booking)}")
    is_at_risk = bool(parked) or any(each.readiness is Readiness.AT_RISK for each in arrivals)
    raise SystemExit(1 if is_at_risk else 0)


@dataclass(frozen=True, slots=True)
class _Parked:
    """A parked message of a guest who may come, with the booking as the ledger has it, on the lock's clock."""

    entry: ParkedEntry
    booking: Booking | None
    check_in: datetime


def _parked(ports: Ports, since: datetime, until: datetime) -> Iterator[_Parked]:
    """Yield the parked messages of bookings whose guests may come in this time: what they say isn't done.

    They come by what the message says, or by what the ledger knows of the booking.
    """
    named = ports.parked.by_booking()
    bookings = ports.ledger.get_many(named)
    for booking_id, entries in named.items():
        booking = bookings.get(booking_id)
        for entry in entries:
            hints = hints_of(entry.parked.message)
            if hints.check_in is not None and since <= hints.check_in <= until:
                yield _Parked(entry, booking, hints.wall_check_in or hints.check_in)
            elif (stays := _check_in(booking)) is not None and since <= stays.latest and stays.at <= until:
                yield _Parked(entry, booking, stays.wall or stays.at)


def _check_in(booking: Booking | None) -> CheckIn | None:
    """Return when the booking's guest comes; None where there is nobody to come."""
    if booking is None or not is_alive(booking):
        return None
    found = (check_in_of(booking.stay, door) for door in booking.doors if door.wanted)
    return min((each for each in found if each is not None), key=lambda each: each.at, default=None)


def _parked_object(parked: _Parked) -> dict[str, object]:
    entry = parked.entry
    told = told_of(entry, parked.booking)
    reason = _REASONS.get(told.kind, Reason.BOOKING_PARKED)
    return {
        "booking_id": hints_of(entry.parked.message).booking_id,
        "check_in": parked.check_in.isoformat(),
        "state": None,
        "readiness": str(Readiness.AT_RISK),
        "reason": str(reason),
        "why": parked_line(entry, parked.booking),
        "next_step": PROBLEMS[reason].steps,
        "parked_id": entry.parked_id,
        "kind": str(told.kind),
        "problems": list(entry.parked.problems),
    }


def _table(arrivals: Iterable[Arrival]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CHECK-IN (lock's clock)", "CODE WORKS", "BOOKING", "DOOR", "STANDS", "WHY, AND WHAT TO DO"):
        table.add_column(heading, overflow="fold")
    for each in arrivals:
        stands = Text(f"{each.readiness} ({each.state})", style=_COLOURS[each.readiness])
        why = f"{each.why} Next: {each.next_step}" if each.why else each.reason.replace("_", " ")
        whys = Text("\n").join(clean(line) for line in (why, *_issue_lines(each)) if line)
        at = f"{each.on_lock_clock:%Y-%m-%d %H:%M}" + (f", {NO_ZONE_YET}" if each.wall_check_in else "")
        works = _works(each)
        table.add_row(at, works, clean(each.booking_id), clean(each.door_name), stands, whys)
    return table


def _issue_lines(arrival: Arrival) -> Iterator[str]:
    """Yield what Seam reports of the door, without what `why` already quotes."""
    for issue in told_beside(arrival):
        label = "Holds the door back" if issue.meaning.blocks else "To know"
        yield f"{label} ({issue.shown_kind}): {issue.text}."


def _summary(arrivals: list[Arrival], hours: int) -> str:
    counts = {each: sum(arrival.readiness is each for arrival in arrivals) for each in Readiness}
    stands = ", ".join(f"{count} {readiness}" for readiness, count in counts.items())
    return f"{len(arrivals)} in the next {hours} hours: {stands}."


def _works(arrival: Arrival) -> str:
    """Say from when to when the code works, and a PIN of an earlier revision where there is one."""
    times = {name: f"{at:%m-%d %H:%M}" for name, at in _window(arrival).items() if at is not None}
    works = f"{times['starts_at']} to {times['ends_at']}" if "starts_at" in times else ""
    if "earlier_starts_at" not in times:
        return works
    earlier = f"earlier PIN {times['earlier_starts_at']} to {times['earlier_ends_at']}"
    return f"{works}; {earlier}" if works else earlier


def _window(arrival: Arrival) -> dict[str, datetime | None]:
    """Return when the code works, and an earlier PIN, on the lock's clock; None where there is no such code."""
    zone = ZoneInfo(arrival.time_zone) if arrival.time_zone else None
    names = ("starts_at", "ends_at", "earlier_starts_at", "earlier_ends_at")
    window: dict[str, datetime | None] = {name: getattr(arrival, name) for name in names}
    return {name: at.astimezone(zone) if at is not None and zone else at for name, at in window.items()}
