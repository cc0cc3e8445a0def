"""`oracode backup`: everything in the data server, in one file. How to restore it: docs/backup.md."""

import json
import os
from pathlib import Path

import click

from shared.clock import system_clock
from worker.cli.context import settings_for
from worker.cli.snapshot import NoSnapshot, write_snapshot

_KIB = 1024


@click.command("backup", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="The file and its size as one JSON object.")
def command(*, directory: Path, as_json: bool) -> None:
    """Write everything in the data server into a new file in DIRECTORY, while everything runs.

    The file is complete, or doesn't exist. It has bookings with their labels, and no PIN. Only its owner may read it.
    """
    settings = settings_for("REDIS_URL")
    taken_at = system_clock()
    path = directory / f"oracode-{taken_at:%Y%m%dT%H%M%SZ}.rdb"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = _write(settings.redis_address, path)
    except NoSnapshot as refused:
        click.echo(f"The data server doesn't hand out its content: {refused}.", err=True)
        click.echo("Of a managed server, take the provider's snapshots: docs/backup.md.", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        click.echo(f"{error.filename or path} can't be written: {error.strerror}", err=True)
        raise SystemExit(2) from None
    if as_json:
        click.echo(json.dumps({"file": str(path), "bytes": size, "taken_at": taken_at.isoformat()}))
    else:
        click.echo(f"{path}: {_shown(size)}")


def _shown(size: int) -> str:
    return f"{size / _KIB:.1f} KiB" if size < _KIB**2 else f"{size / _KIB**2:.1f} MiB"


def _write(url: str, path: Path) -> int:
    """Write the file under another name, and rename it when every byte is on disk."""
    draft = path.with_suffix(f".{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b") as file:
            size = write_snapshot(url, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return size
