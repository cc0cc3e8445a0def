"""SIGTERM to a worker while its calls to Seam hang for longer than the worker has to end."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from random import Random

from redis.exceptions import RedisError

from tests.faults.recovery import Killer
from tests.faults.table import Row
from tests.faults.traffic import Handover, message_of
from tests.support.machine import Machine
from tests.support.waiting import PATIENCE, wait_until
from worker.graceful_stop import DRAIN_WITHIN

# Few hands, so that some work is fetched and not begun; calls may hang for longer than the drain; and a lease that
# outlives neither by much.
SETTINGS = {
    "WORKER_CONCURRENCY": "4",
    "SEAM_TIMEOUT": "28s",
    "RECLAIM_AFTER": "30s",
    "WAITING_RETRY_EVERY": "3s",
    "DOOR_CACHE_FOR": "2s",
}
_IN_HAND = 3
_BEHIND = 8
_HANG = DRAIN_WITHIN.total_seconds() + 2
# Until the process is gone: its last log line, its end, and the supervisor noticing it.
_A_LITTLE = 1.5


def drain_cut(machine: Machine) -> tuple[Row, set[str]]:
    """Let some creates hang, some of them carried out, with more work waiting; then ask the worker to end."""
    row = Row("SIGTERM while calls to Seam hang", times=1)
    handover = Handover(machine)
    doors = [machine.add_door(("16:00", "10:00"), pin_at_create=True) for _ in range(_IN_HAND)]
    for door in doors:
        # Seam carries them out at once, but the answer comes too late for the worker that asked.
        fault = {"operation": "access_codes.create", "kind": "slow", "seconds": _HANG, "times": 1, "device_id": door}
        machine.seam("POST", "/sandbox/faults", fault)
    hanging = [f"HANG-{number}" for number in range(_IN_HAND)]
    for booking_id, door in zip(hanging, doors, strict=True):
        assert handover.append(message_of(booking_id, door))
    wait_until(lambda: all(machine.booking(each).get("state") == "creating" for each in hanging), what="they hang")
    behind = [f"BEHIND-{number}" for number in range(_BEHIND)]
    for number, booking_id in enumerate(behind):
        assert handover.append(message_of(booking_id, doors[number % _IN_HAND], days_ahead=8))
    pid = machine.run()["pids"]["worker"]
    os.kill(pid, signal.SIGTERM)
    asked_at = time.monotonic()
    most = DRAIN_WITHIN.total_seconds() + PATIENCE * _A_LITTLE
    with suppress(AssertionError):
        wait_until(lambda: machine.run()["pids"].get("worker") not in (pid, None), within=most + 20)
    ended_after = time.monotonic() - asked_at
    row.notes.append(f"{_IN_HAND} calls of {_HANG:.0f} s under way: the worker ended after {ended_after:.1f} s")
    if ended_after > most:
        row.broken.append(f"the drain took longer than {DRAIN_WITHIN.total_seconds():.0f} s")
    if '"worker.drain_cut"' not in machine.logs():
        row.broken.append("nothing was cut off: it was no test of that")
    row.seconds.append(Killer(machine, Random(1), {}).works_again("worker", asked_at + ended_after))

    def unsettled() -> list[str]:
        with suppress(RedisError, OSError):
            return [each for each in (*hanging, *behind) if machine.booking(each).get("state") != "ready"]
        return [*hanging, *behind]

    with suppress(AssertionError):
        wait_until(lambda: not unsettled(), within=120, what="all of them are ready")
    row.lost = unsettled()
    row.notes.append(f"all {_IN_HAND + _BEHIND} bookings settled {time.monotonic() - asked_at:.1f} s after SIGTERM")
    for door in doors:
        made = Counter(str(code["name"]).split(" | ")[0] for code in machine.codes(door))
        row.twice += [booking_id for booking_id, times in made.items() if times > 1]
    return row, handover.said
