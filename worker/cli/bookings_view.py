"""Shows bookings in a terminal. Text from outside is shown as plain text: no markup, no control characters."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shared.domain.booking.advice import earlier_code_of, window_text
from shared.domain.booking.notices import next_step_of, problems_of
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import BookedDoor, Booking, HistoryEntry, State
from shared.domain.booking.stay_times import check_in_of
from shared.domain.booking.story_facts import facts_of
from shared.domain.matching.manual_choice import called
from shared.domain.stay.stay import StayTime, WallTime, as_booked
from shared.domain.times.wording import show_length
from worker.cli.printable import printable

_WIDE: Final = 200
_COLOURS: Final = {
    State.RECEIVED: "white",
    State.SCHEDULED: "cyan",
    State.WAITING: "yellow",
    State.CREATING: "magenta",
    State.ISSUED: "blue",
    State.READY: "green",
    State.FAILED: "bold red",
    State.CANCELLED: "dim",
    State.ENDED: "dim",
}


def console() -> Console:
    """Return a console as wide as the terminal; without a terminal, lines aren't folded."""
    wide = Console(highlight=False)
    return wide if wide.is_terminal else Console(highlight=False, width=_WIDE)


def table_of(bookings: Iterable[Booking]) -> Table:
    """Return a table with one row for each booking."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("BOOKING", "STATE", "WHY", "DOORS", "CHECK-IN (lock's clock)", "NEXT LOOK (UTC)", "LABEL"):
        table.add_column(heading, overflow="fold")
    for booking in bookings:
        table.add_row(
            clean(booking.booking_id),
            Text(booking.state, style=_COLOURS[booking.state]),
            clean(booking.reason.replace("_", " ")),
            Text(str(sum(door.wanted for door in booking.doors))),
            clean(_check_in(booking)),
            clean(_when(earliest_due(booking))),
            clean(booking.label or ""),
        )
    return table


def print_table(bookings: Iterable[Booking]) -> None:
    """Print the table, or that there are no bookings."""
    found = list(bookings)
    if found:
        console().print(table_of(found))
    else:
        click.echo("No bookings.")


def print_story(booking: Booking, history: Iterable[HistoryEntry], now: datetime) -> None:
    """Print the booking, what is to be done now, and its history."""
    out = console()
    out.print(Text.assemble((booking.booking_id, "bold"), "  ", (booking.state, _COLOURS[booking.state])))
    out.print(clean(_asked(booking)), soft_wrap=True)
    for door in booking.doors:
        out.print(_door_line(door), soft_wrap=True)
        for problem, detail in problems_of(door):
            trouble = PROBLEMS[problem]
            out.print(clean(f"    {trouble.happened} {detail}".rstrip()), soft_wrap=True)
            step = next_step_of(booking, door, problem, now)
            out.print(Text(f"    Next: {printable(step)} ({trouble.actor})", style="bold"), soft_wrap=True)
        if door.choice is not None:
            when = f"{door.choice.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            text = f"    slot {called(door.choice.name)} was chosen by {door.choice.by}, {when}"
            out.print(clean(text), soft_wrap=True)
        earlier = earlier_code_of(booking, door) if door.wanted and not booking.cancelled else None
        if earlier is not None and earlier.ends_at > now:
            out.print(
                clean(f"    the guest's earlier PIN works {window_text(earlier, door.time_zone)}"), soft_wrap=True
            )
        for code in door.residual:
            when = window_text(code.window, door.time_zone)
            text = f"    residual access: code {code.access_code_id} opens this door {when}"
            out.print(clean(text), soft_wrap=True)
    out.print(Text("\nWhat happened (UTC)", style="bold"))
    names = _names_of_doors(booking)
    for entry in history:
        stamp = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        where = f"{names[entry.device_id]}: " if entry.device_id in names else ""
        line = ((stamp, "dim"), "  ", (f"{_what(entry):<24}", "cyan"), " ", (clean(where).plain, "bold"))
        out.print(Text.assemble(*line, clean(entry.text)), soft_wrap=True)
        for fact in facts_of(entry):
            out.print(Text.assemble(" " * 46, (clean(fact).plain, "dim")), soft_wrap=True)


def _names_of_doors(booking: Booking) -> dict[str | None, str]:
    """Return the name of each door in the history, by its key; empty if the booking has only one door."""
    names = {door.device_id: door.name for door in booking.doors}
    if len(names) == 1:
        return {}
    alike = Counter(names.values())
    return {
        device_id: name if alike[name] == 1 and name else f"{name} {device_id}".strip()
        for device_id, name in names.items()
    }


def _what(entry: HistoryEntry) -> str:
    """Return the name of what happened; for Seam's events without their common prefix."""
    name = entry.what.removeprefix("access_code.")
    return name if name == entry.what else f"Seam: {name.replace('_', ' ')}"


def watch_table(read: Callable[[], Iterator[Booking]], *, every: float) -> None:
    """Show a table that follows the bookings, until interrupted."""
    with Live(table_of(read()), auto_refresh=False) as live:
        while True:
            time.sleep(every)
            live.update(table_of(read()), refresh=True)


def watch_lines(read: Callable[[], Iterator[Booking]], line: Callable[[Booking], str], *, every: float) -> None:
    """Print a line for each booking that changed, until interrupted."""
    shown: dict[str, Any] = {}
    while True:
        for booking in read():
            mark = (booking.state, booking.reason, booking.doors)
            if shown.get(booking.booking_id) != mark:
                shown[booking.booking_id] = mark
                click.echo(line(booking))
        time.sleep(every)


def line_of(booking: Booking) -> str:
    """Return a booking as one plain line."""
    reason = f" ({booking.reason})" if booking.reason else ""
    return clean(f"{booking.booking_id}: {booking.state}{reason}").plain


def earliest_due(booking: Booking) -> str | None:
    """Return when the booking is looked at next."""
    due = min((door.due_at for door in booking.doors if door.due_at is not None), default=None)
    return due.astimezone(UTC).isoformat(timespec="seconds") if due else None


def clean(text: str) -> Text:
    """Return a text from outside with its printable characters only: they can do no harm."""
    return Text(printable(text))


def _asked(booking: Booking) -> str:
    """Return what the booking asks for, as it was written in the message."""
    label = f", {booking.label}" if booking.label else ""
    if booking.stay is None:
        return f"  revision {booking.revision}{label}"
    booked = as_booked(booking.stay)
    times = " to ".join(_written(moment) for moment in (booked.check_in, booked.check_out))
    buffers = (("before", booking.stay.buffer_before), ("after", booking.stay.buffer_after))
    moved = ", ".join(f"{show_length(length)} {where}" for where, length in buffers if length)
    more = f" (buffer: {moved})" if moved else ""
    return f"  revision {booking.revision}{label}: {times}, {booking.stay.granularity}{more}"


def _written(moment: StayTime) -> str:
    if isinstance(moment, WallTime):
        return f"{moment.at:%Y-%m-%d %H:%M} {moment.time_zone or '(lock)'}"
    return f"{moment.at:%Y-%m-%d %H:%M%z}"


def _door_line(door: BookedDoor) -> Text:
    code = f"  code {door.code.access_code_id}" if door.code else ""
    window = f"  {_span(door)}" if door.code else ""
    why = f" ({door.reason.replace('_', ' ')})" if door.reason else ""
    return Text.assemble(
        "  door ",
        clean(f"{door.name} {door.key}".strip()),
        "  ",
        (door.state, _COLOURS[door.state]),
        clean(f"{why}{code}{window}"),
    )


def _span(door: BookedDoor) -> str:
    if door.code is None:
        return ""
    starts_at, ends_at = (_local(moment, door) for moment in (door.code.window.starts_at, door.code.window.ends_at))
    return f"{starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M} {door.time_zone or 'UTC'}"


def _local(moment: datetime, door: BookedDoor) -> datetime:
    return moment.astimezone(ZoneInfo(door.time_zone)) if door.time_zone else moment


def _check_in(booking: Booking) -> str:
    for door in booking.doors:
        found = check_in_of(booking.stay, door)
        if found is not None:
            return f"{found.wall or _local(found.at, door):%Y-%m-%d %H:%M}"
    return ""


def _when(due: str | None) -> str:
    return due.replace("T", " ").removesuffix("+00:00") if due else ""
