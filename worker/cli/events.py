"""`oracode events`: fetches events of Seam that no webhook brought, and exports traffic for a replay."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import click

from shared.clock import system_clock
from shared.domain.times.durations import parse_duration
from shared.ledger.bookings import UnknownBooking
from worker.assembly.jobs import reconciliation
from worker.cli.context import open_ledger, settings_for
from worker.ports import seam_client


@click.group("events", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Fetch events of Seam that never came by webhook; export traffic to a file, for a replay."""


@command.command()
@click.option("--since", required=True, help="How long back (6h, 3d) or from when on (2026-11-20T08:00, UTC).")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
def backfill(*, since: str, as_json: bool) -> None:
    """Read Seam's list of events and append those that are missing. Events that came before change nothing."""
    settings_for("REDIS_URL", "SEAM_API_KEY")
    settings, ports = open_ledger()
    found, added = reconciliation(settings, ports, seam_client(settings)).backfill(_moment(since))
    if as_json:
        click.echo(json.dumps({"found": found, "added": added}))
    else:
        click.echo(f"Seam lists {found} events about access codes since then; {added} were missing and are added.")


@command.command()
@click.option("--since", required=True, help="How long back (24h, 3d) or from when on (2026-11-20T08:00, UTC).")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True))
def export(*, since: str, file: str) -> None:
    """Write the bookings that changed since then, the decisions for them and their doors to FILE.

    The file has no PINs, keys, booking ids, labels or door names. `oracode replay FILE` replays it with a sandbox.
    """
    from shared.ledger.booking_search import BookingSearch  # noqa: PLC0415 - not for backfill
    from shared.ledger.last_read_doors import LastReadDoors  # noqa: PLC0415 - nor this
    from worker.cli.traffic import lines_of  # noqa: PLC0415 - nor this

    _, ports = open_ledger()
    moment = _moment(since).timestamp()
    bookings = []
    for booking_id, _ in BookingSearch(ports.redis).changed_since(moment):
        with suppress(UnknownBooking):
            bookings.append(ports.ledger.get(booking_id))
    doors = LastReadDoors(ports.redis).objects(door.device_id for booking in bookings for door in booking.doors)
    lines = list(lines_of(bookings, doors))
    with click.open_file(file, "w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)
    written = sum('"kind": "booking"' in line for line in lines)
    left_out = "; the others have no door that was read" if written < len(bookings) else ""
    click.echo(f"{written} of {len(bookings)} bookings were written{left_out}.", err=True)


def _moment(text: str) -> datetime:
    now = system_clock()
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write 6h or 3d, or a time like 2026-11-20T08:00", param_hint="--since") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at >= now:
        raise click.BadParameter("lies in the future", param_hint="--since")
    return at
