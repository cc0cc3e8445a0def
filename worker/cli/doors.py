"""`oracode doors`: makes a DOORS_FILE from Seam's doors, or compares one with them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import click

from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.doors_file_text import compare_doors, doors_file_lines
from worker.cli.context import settings_for
from worker.cli.printable import printable


@click.group("doors", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make a DOORS_FILE from Seam's doors, or compare one with them."""


@command.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this new file.")
def init(*, output: Path | None) -> None:
    """Print a DOORS_FILE with a unit for each Oracode door at Seam. An existing file is never overwritten."""
    text = "\n".join(doors_file_lines(_doors())) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.echo(f"{output} exists and is left as it is; name another file.", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        click.echo(f"{output} can't be written: {error.strerror}.", err=True)
        raise SystemExit(2) from None
    click.echo(f"{output} is written. Check it, then: export DOORS_FILE={output}")


@command.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
def check(file: Path | None, *, as_json: bool) -> None:
    """Compare FILE (by default DOORS_FILE) with Seam's doors.

    Exit 1 if a unit names a door that Seam doesn't have, if a door is in no unit, or if a door takes no offline codes.
    Exit 2 if the file can't be used.
    """
    from shared.doors_file import InvalidDoorsFile, load_doors_file  # noqa: PLC0415 - needs yaml

    path = file or settings_for("SEAM_API_KEY", "DOORS_FILE").doors_file
    try:
        units = load_doors_file(path or Path())
    except InvalidDoorsFile as invalid:
        click.echo(str(invalid), err=True)
        raise SystemExit(2) from None
    doors = list(_doors())
    findings = compare_doors(units, doors)
    for finding in findings:
        if as_json:
            told = {"kind": finding.kind, "device_id": finding.subject, "text": finding.text}
            click.echo(json.dumps(told))
        else:
            click.echo(f"{finding.kind.replace('_', ' ')}: {printable(finding.text)}.")
    if not findings and not as_json:
        click.echo(f"{len(units)} units, {len(doors)} doors: nothing is wrong.")
    raise SystemExit(1 if findings else 0)


def _doors() -> Iterator[Door]:
    """Yield every Oracode door of the workspace. Raises SeamError."""
    from shared.seam.pages import pages  # noqa: PLC0415 - needs the HTTP client
    from worker.ports import seam_client  # noqa: PLC0415 - nor this

    with closing(seam_client(settings_for("SEAM_API_KEY"))) as client:
        for devices in pages(client, "/devices/list", {}, "devices"):
            for device in devices:
                if isinstance(device, Mapping) and "oracode" in str(device.get("device_type")):
                    try:
                        yield door_from_device(device)
                    except NotADoor as error:
                        click.echo(f"A door of Seam can't be read: {printable(str(error))}.", err=True)
