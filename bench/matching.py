"""Matching: how long one match takes by the number of a door's slots, and a survey of a year of bookings.

The bookings have many different times and dates, like those of a year. A door and its slots are parsed once, as in the
service.
"""

import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.processes import PROJECT, scratch
from bench.statistics import growth_of_total
from bench.suite import Options, Outcome
from bench.table import table
from bench.targets import Target
from shared.domain.door.door import Door, door_from_device
from shared.domain.matching.match import MatchPolicy, match
from shared.domain.stay.stay import Instant, Stay

SLOTS = (1, 2, 5, 10, 20, 50)
BOOKINGS = 500
ROUNDS = 9
LIMIT = 30.0
"""Microseconds that a match on a door of ten slots may take."""


def device(slots: int, device_id: str = "11111111-1111-1111-1111-444444444444") -> dict[str, Any]:
    """Return a device as Seam returns it, with so many slots; a match has to measure each of them."""
    zone = "[America/Los_Angeles]"
    return {
        "device_id": device_id,
        "device_type": "dormakaba_oracode_door",
        "can_program_offline_access_codes": True,
        "properties": {
            "dormakaba_oracode_metadata": {
                "predefined_time_slots": [
                    {
                        "name": f"Guest {n}",
                        "prefix": n,
                        "check_in_time": f"{(16 + n // 4) % 24:02}:{n % 4 * 15:02}:00{zone}",
                        "check_out_time": f"{(10 + n // 4) % 24:02}:{n % 4 * 15:02}:00{zone}",
                        "dormakaba_oracode_user_level_id": f"level {n}",
                    }
                    for n in range(slots)
                ]
            }
        },
    }


def door(slots: int) -> Door:
    """Return the door of such a device."""
    return door_from_device(device(slots))


def stays() -> list[Stay]:
    """Return stays of one to thirty nights, with times near the slots and far from them."""
    dice = random.Random(1)
    found = []
    for _ in range(BOOKINGS):
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * dice.randrange(35_000))
        length = timedelta(days=dice.randrange(1, 31), minutes=15 * dice.randrange(-30, -20))
        found.append(Stay(check_in=Instant(start), check_out=Instant(start + length)))
    return found


def run(options: Options) -> Outcome:
    """Measure matches, and surveys of growing size."""
    took = {slots: measured(slots) for slots in SLOTS}
    by_slot = (took[50] - took[10]) / 40
    # The cost may grow in proportion to the slots, give or take half: a match has a fixed cost, too.
    is_linear = all(
        abs(took[more] - took[less] - by_slot * (more - less)) <= 0.5 * by_slot * (more - less)
        for less, more in ((5, 10), (10, 20), (20, 50))
    )
    sizes = (100, 1_000, 10_000) if options.quick else (1_000, 10_000, 100_000)
    surveyed = {size: survey_seconds(size) for size in sizes}
    growth = growth_of_total({size: surveyed[size] for size in sizes[1:]})
    targets = (
        Target("matching: a door of ten slots", took[10], "at most", LIMIT, "µs"),
        Target("matching: linear in slots", float(is_linear), "at least", 1),
        Target(f"coverage: {sizes[-1]:,} bookings", surveyed[sizes[-1]], "at most", 10, "s"),
        Target("coverage: time of one booking, largest / middle", growth.factor, "at most", 1.2, "×"),
    )
    rows: list[tuple[object, ...]] = [(f"match, {slots} slots", took[slots], "µs") for slots in SLOTS]
    rows += [(f"coverage of {size:,} bookings", seconds, "s") for size, seconds in surveyed.items()]
    return Outcome(
        figures={
            "match_microseconds": {str(slots): each for slots, each in took.items()},
            "slot_microseconds": by_slot,
            "coverage_seconds": {str(size): each for size, each in surveyed.items()},
        },
        targets=targets,
        text=table(("matching", "", ""), rows),
    )


def measured(slots: int) -> float:
    """Return the microseconds of one match: the best of several rounds, to leave out noise of other processes."""
    at, asked, policy = door(slots), stays(), MatchPolicy()
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for stay in asked:
            match(stay, at, policy)
        best = min(best, time.perf_counter() - started)
    return best / BOOKINGS * 1e6


def survey_seconds(amount: int) -> float:
    """Return how long `oracode coverage` takes for so many bookings on a hundred doors, with its start-up."""
    with scratch() as folder:
        devices = [device(3, f"d0000000-0000-0000-0000-{number:012d}") for number in range(100)]
        (folder / "devices.json").write_text(json.dumps(devices))
        write_bookings(folder / "bookings.jsonl", amount)
        command = [str(Path(sys.executable).parent / "oracode"), "coverage", "--json"]
        command += ["--bookings", str(folder / "bookings.jsonl"), "--devices", str(folder / "devices.json")]
        started = time.perf_counter()
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        took = time.perf_counter() - started
        if ended.returncode not in (0, 1) or json.loads(ended.stdout)["stays"] != amount:
            raise ValueError(f"coverage: exit {ended.returncode}: {ended.stderr[-500:]}")
        return took


def write_bookings(path: Path, amount: int) -> None:
    """Write bookings as a booking system would export them: two years, with many different times."""
    dice = random.Random(2)
    with path.open("w") as file:
        for number in range(amount):
            start = datetime(2026, 1, 1, 15, tzinfo=UTC) + timedelta(days=dice.randrange(700))
            check_in = start + timedelta(minutes=15 * dice.randrange(-8, 12))
            check_out = start + timedelta(days=dice.randrange(1, 15), minutes=15 * dice.randrange(-30, -10))
            booking = {
                "booking_id": f"B{number}",
                "device_ids": [f"d0000000-0000-0000-0000-{number % 100:012d}"],
                "check_in": f"{check_in:%Y-%m-%dT%H:%M}",
                "check_out": f"{check_out:%Y-%m-%dT%H:%M}",
            }
            file.write(json.dumps(booking) + "\n")
