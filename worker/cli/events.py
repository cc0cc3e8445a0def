"""`oracode events`: what Seam says happened, for the time when nobody listened."""

import json
from datetime import UTC, datetime

import click

from shared.clock import system_clock
from shared.domain.times.durations import parse_duration
from worker.assembly.jobs import reconciliation
from worker.cli.context import open_ledger, settings_for
from worker.ports import seam_client


@click.group("events", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Fetch events of Seam that never came by webhook."""


@command.command()
@click.option("--since", required=True, help="How long back (6h, 3d) or from when on (2026-11-20T08:00, UTC).")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
def backfill(*, since: str, as_json: bool) -> None:
    """Read Seam's list of events and append those that are missing. Events that were seen change nothing."""
    settings_for("REDIS_URL", "SEAM_API_KEY")
    settings, ports = open_ledger()
    found, added = reconciliation(settings, ports, seam_client(settings)).backfill(_moment(since))
    if as_json:
        click.echo(json.dumps({"found": found, "added": added}))
    else:
        click.echo(f"Seam lists {found} events about access codes since then; {added} were missing and are added.")


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
