"""`oracode coverage`: which bookings fit their doors, and the fewest slots to ask for."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from shared.domain.door.door import Door
from shared.domain.matching.coverage import Coverage, DoorCoverage, share_of, survey
from shared.domain.matching.match import MatchPolicy, SlotPreference
from shared.domain.matching.slot_planning import Proposal, propose
from shared.domain.quoting import shown
from shared.domain.stay.stay import Stay
from worker.cli.coverage_inputs import SkippedBookings, load_bookings, load_doors, stays_at_doors
from worker.cli.coverage_ledger import doors_named, stays_in_ledger
from worker.cli.drawing import Terminal, headed, pad, wrap
from worker.cli.match_inputs import DONE, NO, UnusableInput, exit_if_unusable, load_rules

_LONG_RUN = 2_000  # bookings; fewer are counted so quickly that no progress bar is needed
_BAR = 20
_MOST_DOORS = 40
_MOST_LACKS = 12
_Item = TypeVar("_Item")


@click.command("coverage")
@click.option("--bookings", help="Bookings as JSON Lines or CSV; - is standard input; else those in the ledger.")
@click.option("--devices", multiple=True, help="Device files, or device ids at Seam; may be repeated.")
@click.argument("more_devices", nargs=-1)
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="The share of bookings that should fit.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--allow-biweekly/--no-allow-biweekly", default=False, envvar="ALLOW_BIWEEKLY")
@click.option("--doors-file", envvar="DOORS_FILE", help="Default times and buffers of units.")
def command(
    *,
    bookings: str | None,
    devices: Sequence[str],
    more_devices: Sequence[str],
    share: float,
    as_json: bool,
    allow_biweekly: bool,
    doors_file: str | None,
) -> None:
    """Count which bookings fit their doors, and propose the fewest slots for the wanted share.

    Exits 0 when the wanted share fits already, 1 when not, 2 when an input can't be used.
    """
    aside = SkippedBookings()
    policy = MatchPolicy(SlotPreference.NEAREST, allow_biweekly)
    with exit_if_unusable():
        doors = _doors((*devices, *more_devices))
        stays, count = _stays(bookings, doors, doors_file, aside)
        coverage = survey(_flat(_with_progress(stays, count)), policy)
        _check_any(coverage, aside)
    proposal = propose(coverage, share, policy)
    if as_json:
        whole = coverage.as_json() | {
            "proposal": proposal.as_json(),
            "set_aside": {"bookings": aside.count, "reasons": aside.reasons},
        }
        click.echo(json.dumps(whole))
    else:
        terminal = Terminal(getattr(sys.stdout, "encoding", None) or "ascii")
        for line in _lines(coverage, proposal, aside):
            click.echo(terminal.fit(line), color=False if os.environ.get("NO_COLOR") else None)
    sys.exit(DONE if share_of(coverage.fitting, coverage.stays) >= share else NO)


def _doors(devices: Sequence[str]) -> dict[str, Door]:
    """Return the doors of device files, and of device ids at Seam."""
    files = [device for device in devices if Path(device).exists() or device == "-" or "/" in device or "." in device]
    named = doors_named([device for device in devices if device not in files])
    return (load_doors(files) if files else {}) | named


def _stays(
    bookings: str | None, doors: dict[str, Door], doors_file: str | None, aside: SkippedBookings
) -> tuple[Iterable[list[tuple[Stay, Door]]], int]:
    """Return the stays of the bookings in a file or in the ledger, and the number of bookings."""
    if bookings is None:
        found = stays_in_ledger(doors, aside)
        return found, len(found)
    if not doors:
        raise UnusableInput("name the doors of these bookings: --devices FILE, or a device id at Seam")
    only_door = next(iter(doors)) if len(doors) == 1 else None
    messages = load_bookings(bookings, only_door)
    return stays_at_doors(messages, doors, load_rules(doors_file), aside), len(messages)


def _check_any(coverage: Coverage, aside: SkippedBookings) -> None:
    if not coverage.stays:
        reasons = "\n".join(aside.reasons) or "there are no bookings in it"
        raise UnusableInput(f"no booking can be counted:\n{reasons}")


def _flat(groups: Iterable[list[tuple[Stay, Door]]]) -> Iterator[tuple[Stay, Door]]:
    for group in groups:
        yield from group


def _with_progress(items: Iterable[_Item], length: int) -> Iterator[_Item]:
    """Yield the items, with a progress bar on standard error if the run is long and that is a terminal."""
    if length < _LONG_RUN or not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(
        items, length=length, label="Matching", file=sys.stderr, update_min_steps=length // 200
    ) as shown_items:
        yield from shown_items


def _lines(coverage: Coverage, proposal: Proposal, aside: SkippedBookings) -> Iterator[str]:
    share = share_of(coverage.fitting, coverage.stays)
    text = f" of {coverage.stays:,} stays fit ({coverage.fitting:,})"
    yield from headed(_percent(share), text, good=share >= proposal.wanted_share)
    yield ""
    doors = sorted(coverage.doors, key=lambda one: share_of(one.fitting, one.stays))
    for one in doors[:_MOST_DOORS]:
        yield _door(one)
    if len(doors) > _MOST_DOORS:
        yield f"… and {len(doors) - _MOST_DOORS} more doors, all of them better"
    yield from _lacks(coverage)
    yield from _proposal(proposal, share)
    if aside.count:
        yield ""
        yield f"{aside.count:,} bookings were set aside:"
        for reason in aside.reasons:
            yield from wrap(shown(reason), "  ")


def _door(one: DoorCoverage) -> str:
    share = share_of(one.fitting, one.stays)
    filled = int(share * _BAR)
    name = pad(shown(one.door.name) or shown(one.door.device_id), 30)
    bar = "█" * filled + "·" * (_BAR - filled)
    return f"{name} {bar} {_percent(share):>6}  {one.fitting:,} of {one.stays:,}"


def _lacks(coverage: Coverage) -> Iterator[str]:
    lacks = sorted(coverage.lacks.items(), key=lambda one: (-one[1], one[0].outcome, one[0].needs))
    if lacks:
        yield ""
        yield "What the others lacked:"
    for lack, count in lacks[:_MOST_LACKS]:
        what = lack.outcome.value.replace("_", " ")
        if lack.needs:
            what = f"a slot {lack.needs.replace('-', ' → ')}"
        yield f"{count:>8,}  {what}"
    if len(lacks) > _MOST_LACKS:
        rest = sum(count for _, count in lacks[_MOST_LACKS:])
        yield f"{rest:>8,}  {len(lacks) - _MOST_LACKS} other things"


def _proposal(proposal: Proposal, share: float) -> Iterator[str]:
    if share >= proposal.wanted_share:
        return
    yield ""
    wanted = _percent(proposal.wanted_share)
    if not proposal.slots:
        yield from wrap(f"No new slot would bring the share nearer to {wanted}.")
        return
    count = len(proposal.slots)
    how = "the fewest" if proposal.is_exact else "found greedily; fewer might do"
    reached = f"for {wanted}" if proposal.is_reached else f"as near to {wanted} as slots can come"
    yield from wrap(f"Ask the installer for {count} slot{'s' * (count != 1)}, {reached} ({how}):")
    for one in proposal.slots:
        kind = " (24 hours)" if one.slot.is_24_hour else ""
        name = pad(shown(one.door.name) or shown(one.door.device_id), 30)
        yield f"  {name} {one.slot.check_in} → {one.slot.check_out}{kind}  +{one.stays:,} stays"
    yield f"Then {_percent(proposal.share)} fit."


def _percent(share: float) -> str:
    return f"{int(share * 1000) / 10:g} %"
