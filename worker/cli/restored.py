"""`oracode restored`: the last step of a restore. The worker then looks for everything that the backup lacks."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from shared.ledger.processes import ProcessSigns
from shared.ledger.rollback import LedgerPrimary
from shared.liveness.fleet import is_alive
from shared.redis_client import connect
from worker.assembly.resources import settle_time
from worker.cli.context import settings_for

_SECOND = timedelta(seconds=1)


@click.command("restored", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="When the backup was taken (2026-11-28T12:00, UTC), where it doesn't say so itself.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(*, since: datetime | None, as_json: bool) -> None:
    """Note that the data server was restored from a backup. Run this before any process runs on it.

    Creates then pause until any call that the backup doesn't know must have ended. Seam is searched for codes made
    since the backup, and people are told from which time bookings may be missing. Exit 1 if nothing was restored, or if
    a process runs.
    """
    settings = settings_for("REDIS_URL")
    with connect(settings.redis_address) as redis:
        if not redis.dbsize():
            _refuse("The data server is empty: nothing was restored into it. See docs/backup.md.")
        running = [each.identity for each in ProcessSigns(redis).seen() if is_alive(each)]
        if running:
            _refuse_running([f"{it.process} (pid {it.pid} on {it.host})" for it in running])
        try:
            rollback = LedgerPrimary(redis, settle=settle_time(settings)).restored(
                since.replace(tzinfo=UTC) if since else None
            )
        except ValueError:
            click.echo("The backup doesn't say when it was taken: give --since.", err=True)
            raise SystemExit(2) from None
    began = rollback.since
    if as_json:
        click.echo(json.dumps({"since": began.isoformat(), "until": rollback.noticed_at.isoformat()}))
    else:
        click.echo(f"Noted: what was written from {began:%Y-%m-%d %H:%M:%S} UTC on is missing.")
        click.echo(
            f"Start the processes. For {settle_time(settings) // _SECOND} s no code is made; then Seam is looked at."
        )
        click.echo(
            'Have booking systems send again what they sent since: docs/backup.md, "What a restored state lacks".'
        )


def _refuse_running(names: Sequence[str]) -> None:
    _refuse(f"Stop these first, and wait 20 seconds: {', '.join(names)}. They may have written already.")


def _refuse(text: str) -> None:
    click.echo(text, err=True)
    raise SystemExit(1)
