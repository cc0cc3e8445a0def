"""`oracode parked`: shows, replays or discards messages that couldn't be used."""

import json
from typing import Final, NoReturn

import click

from shared.clock import system_clock
from shared.domain.booking.record import Booking
from shared.domain.messages.booking_id import booking_id_of
from shared.domain.messages.hints import hints_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.times.durations import parse_duration
from shared.parked import ParkedEntry, is_parked_id, kind_of
from shared.parked_of_bookings import told_of
from shared.replayed_messages import ReplayedMessages
from worker.cli.context import open_ledger, user_name
from worker.cli.printable import printable
from worker.handlers.tell_parked import TellParked
from worker.ports import Ports

_MOST_NAMED: Final = 10
_WIDEST_KIND: Final = max(map(len, ParkedKind))


@click.group("parked", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at messages that couldn't be used; replay or discard them."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_parked(*, as_json: bool) -> None:
    """List parked messages, oldest first."""
    from worker.cli.bookings_view import clean  # noqa: PLC0415

    _, ports = open_ledger()
    entries = list(ports.parked.list())
    if not entries and not as_json:
        click.echo("Nothing is parked.")
    for entry in entries:
        if as_json:
            click.echo(json.dumps(as_object(entry)))
        else:
            named = hints_of(entry.parked.message).booking_id
            whose = f"{clean(named).plain} is parked: " if named else ""
            kind, problem = kind_of(entry.parked), clean(entry.parked.problems[0]).plain
            click.echo(f"{entry.parked_id}  {entry.parked.stream}  {kind:<{_WIDEST_KIND}}  {whose}{problem}")


@command.command()
@click.argument("parked_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(parked_id: str | None, *, as_json: bool) -> None:
    """Show one parked message with every problem. PARKED_ID is from `parked list`; a booking's id shows its newest."""
    from worker.cli.bookings_view import clean  # noqa: PLC0415

    _, ports = open_ledger()
    if parked_id is None:
        _end_without_id(ports)
    of_booking = () if is_parked_id(parked_id) else ports.parked.of_booking(booking_id_of(parked_id), most=1)
    entry = of_booking[0] if of_booking else _get(ports, parked_id)
    if as_json:
        click.echo(json.dumps(as_object(entry), indent=2))
        return
    kind = kind_of(entry.parked)
    click.echo(f"{entry.parked_id}  {kind} from {entry.parked.stream}, parked at {entry.parked.parked_at}")
    for problem in entry.parked.problems:
        click.echo(f"  {clean(problem).plain}")
    for name, text in entry.parked.fields.items():
        click.echo(f"  field {clean(name).plain}: {clean(text).plain}")
    click.echo(clean(entry.parked.message).plain)


@command.command()
@click.argument("parked_id")
@click.option("--wait", default="10s", show_default=True, help="How long to wait for its result; 0s: not at all.")
def replay(parked_id: str, wait: str) -> None:
    """Put a message (or `all`) back into its stream: it is handled like a new one, and parked again if it must be.

    Then say what became of it: applied as which booking, or parked again and why. Exit code 1 if a message wasn't
    used, or no worker has worked on it by then.
    """
    from worker.cli import parked_replay  # noqa: PLC0415 - not for listing

    try:
        patience = parse_duration(wait, allow_zero=True)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--wait") from None
    _, ports = open_ledger()
    entries = list(ports.parked.list()) if parked_id == "all" else [_get(ports, parked_id)]
    replayed = parked_replay.replay(ports, entries, by=user_name())
    _tell(ports)
    if patience and not parked_replay.follow(ports, replayed, patience=patience):
        raise SystemExit(1)


@command.command()
@click.argument("parked_id")
def discard(parked_id: str) -> None:
    """Throw a parked message away for good."""
    _, ports = open_ledger()
    entry = _get(ports, parked_id)
    if not ports.parked.discard(entry, by=user_name()):
        _end_unknown(ports, parked_id)
    click.echo(f"{parked_id} was discarded.")
    _tell(ports)


def as_object(entry: ParkedEntry) -> dict[str, object]:
    """Return a parked message as `--json` prints it."""
    return {
        "parked_id": entry.parked_id,
        "stream": entry.parked.stream,
        "parked_at": entry.parked.parked_at,
        "kind": str(kind_of(entry.parked)),
        "problems": list(entry.parked.problems),
        "booking_id": hints_of(entry.parked.message).booking_id,
        "message": entry.parked.message,
        "fields": dict(entry.parked.fields),
    }


def _tell(ports: Ports) -> None:
    """Update the alerts: they end if their messages are gone."""
    TellParked(
        parked=ports.parked,
        replayed=ReplayedMessages(ports.redis),
        ledger=ports.ledger,
        alerts=ports.alerts,
        clock=system_clock,
    )()


def _end_without_id(ports: Ports) -> NoReturn:
    """Print how to name a message, and which there are, and end the command with 2."""
    entries = list(ports.parked.list())
    click.echo("Which one? oracode parked show PARKED_ID", err=True)
    for entry in entries[-_MOST_NAMED:]:
        named = hints_of(entry.parked.message).booking_id or entry.parked.stream
        click.echo(f"  {entry.parked_id}  {kind_of(entry.parked)}  {printable(named)}", err=True)
    if len(entries) > _MOST_NAMED:
        click.echo(f"These are the newest of {len(entries)}: `oracode parked list` has all.", err=True)
    if not entries:
        click.echo("Nothing is parked.", err=True)
    raise SystemExit(2)


def _get(ports: Ports, parked_id: str) -> ParkedEntry:
    entry = ports.parked.get(parked_id) if is_parked_id(parked_id) else None
    if entry is None:
        _end_unknown(ports, parked_id)
    return entry


def _end_unknown(ports: Ports, parked_id: str) -> NoReturn:
    """Say what became of a message that isn't on the list, where that is known, and end the command with 1."""
    from worker.cli.parked_replay import became_of  # noqa: PLC0415 - not for listing

    became = list(became_of(ports, parked_id)) if is_parked_id(parked_id) else []
    for line in became or [f"Nothing is parked under {parked_id!r}."]:
        click.echo(printable(line), err=True)
    raise SystemExit(1)


def parked_line(entry: ParkedEntry, booking: Booking | None) -> str:
    """Return a line that says that a booking's message is parked, why, the booking's state, and how to read more.

    `booking` is its booking in the ledger.
    """
    named = hints_of(entry.parked.message).booking_id or entry.parked.stream
    problems = "; ".join(entry.parked.problems)
    told = told_of(entry, booking)
    what = f"A {told.kind} of {named}" if told.kind in (ParkedKind.CHANGE, ParkedKind.CANCELLATION) else named
    stands = f" For now: {told.stands}." if told.stands else ""
    return (
        f"{printable(what)} is parked: {printable(problems)}.{printable(stands)}"
        f" Look at it with `oracode parked show {entry.parked_id}`."
    )
