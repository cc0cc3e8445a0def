"""`oracode reconcile`: compares the ledger with Seam; after a loss of data, rebuilds the ledger."""

import json
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import click

from shared.clock import system_clock
from shared.ledger.bookings import UnknownBooking
from shared.seam.access_codes import AccessCodes
from worker.assembly.jobs import reconciliation
from worker.cli.bookings import checked_messages, publish_messages
from worker.cli.context import open_ledger, settings_for
from worker.cli.printable import printable
from worker.handlers.compare_ledger import CompareLedger, Comparison, Difference
from worker.ports import Ports, seam_client

_POLL: Final = 0.2


@click.command("reconcile", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--bookings", type=click.File("rb"), help="Replay these booking messages first (JSON Lines; - for stdin)."
)
@click.option(
    "--since-days", type=click.IntRange(0, 90), default=3, show_default=True, help="Events to fetch, in days."
)
@click.option("--wait", "wait_seconds", type=int, default=60, show_default=True, help="Seconds for replayed bookings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(*, bookings: Any, since_days: int, wait_seconds: int, as_json: bool) -> None:
    """Compare the ledger with Seam, code by code. The worker then checks those that differ again.

    Nothing is created twice: a booking's code that exists at Seam is adopted. After the data server was lost, replay
    all bookings with --bookings. Exit 1 if something differs, or a door could not be compared.
    """
    settings_for("REDIS_URL", "SEAM_API_KEY")
    settings, ports = open_ledger()
    replayed, unapplied = 0, 0
    if bookings is not None:
        messages = checked_messages(bookings.read())
        replayed = len(messages)
        publish_messages(settings, messages)
        unapplied = _unapplied(ports, {message.booking_id for _, message in messages}, wait_seconds)
    found, added = (0, 0)
    seam = seam_client(settings)
    if since_days:
        since = system_clock() - timedelta(days=since_days)
        found, added = reconciliation(settings, ports, seam).backfill(since)
    comparison = CompareLedger(ledger=ports.ledger, due=ports.due, codes=AccessCodes(seam), clock=system_clock)()
    if as_json:
        counts = {"replayed": replayed, "not_yet_applied": unapplied, "events_found": found, "events_added": added}
        differences = [asdict(each) for each in comparison.differences]
        click.echo(json.dumps({**counts, "agreeing": comparison.agreeing, "differences": differences}))
    else:
        if replayed:
            click.echo(f"{replayed} bookings replayed, {unapplied} of them not applied yet.")
        click.echo(f"{found} events at Seam, {added} of them were missing and are added.")
        _print(comparison)
    raise SystemExit(1 if comparison.differences or unapplied else 0)


def _unapplied(ports: Ports, booking_ids: set[str], seconds: int) -> int:
    """Wait until each booking is in the ledger and had its first look at Seam; return how many haven't."""
    deadline = time.monotonic() + seconds
    while booking_ids:
        booking_ids = {each for each in booking_ids if _is_under_way(ports, each)}
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL if booking_ids else 0)
    return len(booking_ids)


def _is_under_way(ports: Ports, booking_id: str) -> bool:
    try:
        return ports.ledger.get(booking_id).state in ("received", "creating")
    except UnknownBooking:
        return True


def _print(comparison: Comparison) -> None:
    for each in comparison.differences:
        click.echo(_line(each))
    if comparison.differences:
        click.echo(
            f"{len(comparison.differences)} differences, {comparison.agreeing} codes agree; "
            "the worker looks again now at every code that differs."
        )
    else:
        click.echo(f"The ledger and Seam agree about all {comparison.agreeing} codes.")


def _line(each: Difference) -> str:
    whose = f" of {printable(each.booking_id)}" if each.booking_id else ""
    where = f"code {each.access_code_id}{whose} on " if each.access_code_id else ""
    return f"{each.kind}: {where}{printable(each.device_id)}. {printable(each.text)}".rstrip()
