"""How long one match takes, by the number of a door's slots, and whether that grows linearly.

    python bench/matching.py [--json]

Bookings are instants of many times and dates, as a year of them would be; a door and its slots are
read once, as the service does.
"""

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta

from shared.domain.bookings import Instant, Stay
from shared.domain.doors import Door, door_from_device
from shared.domain.matching import MatchPolicy, match

SLOTS = (1, 2, 5, 10, 20, 50)
BOOKINGS = 500
ROUNDS = 9
LIMIT = 30.0
"""Microseconds that a match on a door of ten slots may take."""


def door(slots: int) -> Door:
    """Return a door with so many slots, every one of which has to be measured."""
    zone = "[America/Los_Angeles]"
    return door_from_device({
        "device_id": "11111111-1111-1111-1111-444444444444",
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
    })  # fmt: skip


def stays() -> list[Stay]:
    """Return stays of one to thirty nights, whose times lie near the slots or not."""
    dice = random.Random(1)
    found = []
    for _ in range(BOOKINGS):
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * dice.randrange(35_000))
        length = timedelta(days=dice.randrange(1, 31), minutes=15 * dice.randrange(-30, -20))
        found.append(Stay(check_in=Instant(start), check_out=Instant(start + length)))
    return found


def measured(slots: int) -> float:
    """Return the microseconds of one match: the best of several rounds, free of others' noise."""
    at, asked, policy = door(slots), stays(), MatchPolicy()
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for stay in asked:
            match(stay, at, policy)
        best = min(best, time.perf_counter() - started)
    return best / BOOKINGS * 1e6


def main() -> int:
    """Print the table; exit 1 when the limit is exceeded."""
    took = {slots: measured(slots) for slots in SLOTS}
    by_slot = (took[50] - took[10]) / 40
    # Each doubling must cost what its slots cost, give or take half.
    is_linear = all(
        abs(took[more] - took[less] - by_slot * (more - less)) <= 0.5 * by_slot * (more - less)
        for less, more in ((5, 10), (10, 20), (20, 50))
    )
    if "--json" in sys.argv[1:]:
        print(json.dumps({"microseconds_a_match": took, "a_slot": by_slot, "is_linear": is_linear}))
    else:
        print("slots   µs a match")
        for slots, microseconds in took.items():
            print(f"{slots:>5} {microseconds:>12.1f}")
        grows = "linear" if is_linear else "NOT linear"
        print(f"{by_slot:.2f} µs a slot: {grows} in the number of slots")
        print(f"limit for 10 slots: {LIMIT:.0f} µs: {'kept' if took[10] <= LIMIT else 'EXCEEDED'}")
    return 0 if took[10] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
