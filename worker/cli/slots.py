"""`oracode slots`: draws a door's time slots, and lists what is wrong with them and what Seam reports of the door."""

import json
import os
import sys
from collections.abc import Iterator

import click

from shared.domain.door.door import Door
from shared.domain.door.issues import Issue, merge_issues
from shared.domain.matching.match_json import slot_json
from shared.domain.matching.slot_warnings import SlotWarning, warnings_of
from shared.domain.quoting import shown
from worker.cli.drawing import Terminal, day, headed, wrap
from worker.cli.match_inputs import exit_if_unusable, is_file, load_door


@click.command("slots")
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(*, device: str, as_json: bool) -> None:
    """Draw the time slots of DEVICE, a device file as Seam returns it or a device id.

    The door's errors and warnings come first; for a device id also those of its connected account. Exits 2 if the
    device can't be used, 3 if Seam can't be reached.
    """
    with exit_if_unusable():
        door = load_door(device)
        issues = door.issues if is_file(device) else merge_issues(door.issues, _of_account(door))
    warnings = warnings_of(door)
    if as_json:
        click.echo(json.dumps(_object(door, issues, warnings)))
        return
    terminal = Terminal(getattr(sys.stdout, "encoding", None) or "ascii")
    for line in _lines(door, issues, warnings):
        click.echo(terminal.fit(line), color=False if os.environ.get("NO_COLOR") else None)


def _of_account(door: Door) -> tuple[Issue, ...]:
    from worker.cli.context import fetch_account_issues  # noqa: PLC0415 - files must not need it

    return fetch_account_issues(door.connected_account_id) if door.connected_account_id else ()


def _object(door: Door, issues: tuple[Issue, ...], warnings: tuple[SlotWarning, ...]) -> dict[str, object]:
    return {
        "device_id": door.device_id,
        "name": door.name,
        "time_zone": door.time_zone,
        "can_program_offline_access_codes": door.can_program_offline_access_codes,
        "slots": [
            slot_json(slot)
            | {
                "check_in_time": None if slot.check_in is None else str(slot.check_in),
                "check_out_time": None if slot.check_out is None else str(slot.check_out),
                "time_zone": slot.time_zone or door.time_zone,
                "is_24_hour": slot.is_24_hour,
                "is_biweekly_mode": slot.is_biweekly_mode,
                "is_one_shot": slot.is_one_shot,
                "is_master": slot.is_master,
                "problem": slot.unreadable,
            }
            for slot in door.slots
        ],
        "issues": [issue.as_json() for issue in issues],
        "warnings": [{"kind": one.kind.value, "text": one.text} for one in warnings],
    }


def _lines(door: Door, issues: tuple[Issue, ...], warnings: tuple[SlotWarning, ...]) -> Iterator[str]:
    zone = door.time_zone or "no time zone of its own"
    yield from wrap(f"{shown(door.name) or shown(door.device_id) or 'A door'} ({zone})")
    yield ""
    for issue in issues:
        blocks = "keeps codes from working" if issue.meaning.blocks else "keeps no code from working"
        yield from headed("!", f" {issue.shown_kind}, {blocks}: {issue.text}.", good=not issue.meaning.blocks)
    if issues:
        yield ""
    if door.slots:
        yield from day(door.slots)
        yield ""
    for slot in door.slots:
        kinds = [
            ("24 hours", slot.is_24_hour),
            ("biweekly", slot.is_biweekly_mode),
            ("one-time", slot.is_one_shot),
            ("master", slot.is_master),
        ]
        kind = ", ".join(name for name, holds in kinds if holds)
        times = f"{slot.check_in or '?'} → {slot.check_out or '?'}"
        name = shown(slot.name) or "(no name)"
        yield from wrap(f"{name}: {times}{f' ({kind})' if kind else ''}", "  ")
    if door.slots and warnings:
        yield ""
    for one in warnings:
        yield from headed("!", f" {shown(one.text)}", good=False)
