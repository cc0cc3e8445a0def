"""`oracode arrivals`: the pre-arrival check, on demand."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from shared.clock import system_clock
from shared.domain.alerting.arrivals import Arrival, Readiness, issues_not_in_why
from shared.ledger.arrivals import LOOK_BACK, arrivals_between, inside_without_code
from shared.unapplied_messages import Unapplied, UnappliedMessage, undated_text
from worker.alerts.composing import NO_ZONE_YET
from worker.cli.bookings_view import clean, console
from worker.cli.context import open_ledger
from worker.cli.unapplied import check_in_text, message_line, unapplied_messages

_COLOURS = {Readiness.READY: "green", Readiness.ON_ITS_WAY: "blue", Readiness.AT_RISK: "bold red"}


@click.command("arrivals", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--hours", type=click.IntRange(1, 24 * 62), default=48, show_default=True, help="How far ahead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def command(*, hours: int, as_json: bool) -> None:
    """List who arrives in the next hours, the nearest first, and whether the door will open.

    `on its way`: nothing is wrong. Seam confirms a code about an hour before its start. Guests whose stay has begun
    without a code come first among the bookings. Before them stand messages that were parked or refused: what they
    say isn't done. Exit 1 if anybody is at risk.
    """
    now = system_clock()
    since, until = now - LOOK_BACK, now + timedelta(hours=hours)
    _, ports = open_ledger()
    arrivals = [
        *inside_without_code(since, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues),
        *arrivals_between(since, until, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues),
    ]
    unapplied = unapplied_messages(ports).between(since, until, now=now)
    if as_json:
        for each in unapplied.messages:
            click.echo(json.dumps(_message_object(each, now)))
        for arrival in arrivals:
            issues = [issue.as_json() for issue in arrival.issues]
            told = asdict(arrival) | {"check_in": arrival.on_lock_clock.isoformat(), "issues": issues}
            told |= {name: at and at.isoformat() for name, at in _window(arrival).items()}
            click.echo(json.dumps({name: value for name, value in told.items() if name != "wall_check_in"}))
    else:
        _print_messages(unapplied, now)
        if arrivals:
            console().print(_table(arrivals))
        click.echo(_summary(arrivals, len(unapplied.messages), hours))
    is_at_risk = bool(unapplied.messages) or any(each.readiness is Readiness.AT_RISK for each in arrivals)
    raise SystemExit(1 if is_at_risk else 0)


def _print_messages(unapplied: Unapplied, now: datetime) -> None:
    for each in unapplied.messages:
        click.echo(f"Check-in {check_in_text(each)}, {Readiness.AT_RISK}: {message_line(each, now)}")
    if unapplied.undated:
        click.echo(f"{undated_text(unapplied.undated)} Look at them with `oracode parked list` and `oracode doctor`.")


def _message_object(message: UnappliedMessage, now: datetime) -> dict[str, object]:
    at = message.on_lock_clock
    return {
        "booking_id": message.booking_id or None,
        "check_in": at.isoformat() if at is not None else None,
        "state": None,
        "readiness": str(Readiness.AT_RISK),
        "reason": str(message.reason),
        "why": message_line(message, now),
        "next_step": message.next_step(now),
        "parked_id": message.parked_id or None,
        "kind": str(message.kind),
        "problems": list(message.problems),
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
    for issue in issues_not_in_why(arrival):
        label = "Holds the door back" if issue.meaning.blocks else "To know"
        yield f"{label} ({issue.shown_kind}): {issue.text}."


def _summary(arrivals: list[Arrival], messages: int, hours: int) -> str:
    if not arrivals and not messages:
        return f"Nobody arrives in the next {hours} hours."
    counts = {each: sum(arrival.readiness is each for arrival in arrivals) for each in Readiness}
    counts[Readiness.AT_RISK] += messages
    stands = ", ".join(f"{count} {readiness}" for readiness, count in counts.items())
    return f"{len(arrivals) + messages} in the next {hours} hours: {stands}."


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
