"""The fault run: bookings through the real system while processes are killed and Seam fails after the effect.

Afterwards the sandbox is asked what exists: exactly one code for each booking and door that should have one, none for
the others, none in doubt. `make faults` runs the long form; a shorter one is a test.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError

from shared.clock import system_clock
from tests.support.machine import Machine

SETTINGS = {"WAITING_RETRY_EVERY": "3s", "DOOR_CACHE_FOR": "2s", "RECLAIM_AFTER": "6s", "SEAM_TIMEOUT": "2s"}
# How Seam fails: each call of these kinds with this probability, every one decided anew.
FAULTS: tuple[Mapping[str, Any], ...] = (
    {"operation": "access_codes.create", "kind": "error_after", "probability": 0.10},
    {"operation": "access_codes.create", "kind": "disconnect_after", "probability": 0.07},
    {"operation": "access_codes.create", "kind": "timeout_after", "probability": 0.04, "seconds": 4},
    {"operation": "access_codes.create", "kind": "truncated", "probability": 0.03},
    {"operation": "access_codes.create", "kind": "error_before", "probability": 0.05},
    {"operation": "access_codes.create", "kind": "rate_limit", "probability": 0.02, "retry_after": 2},
    {"operation": "access_codes.list", "kind": "stale_list", "probability": 0.10, "seconds": 20},
    {"operation": "access_codes.list", "kind": "error_before", "probability": 0.05},
    {"operation": "access_codes.get", "kind": "disconnect_before", "probability": 0.05},
    {"operation": "devices.get", "kind": "html_502", "probability": 0.05},
)


@dataclass(slots=True)
class Result:
    """What came out."""

    bookings: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    recovered_after: float = 0.0

    def is_clean(self) -> bool:
        """Whether nothing was lost, nothing came twice, and nothing is in doubt."""
        return not (self.missing or self.twice or self.unwanted or self.in_doubt or self.unsettled)

    def lines(self) -> list[str]:
        """Return the figures for people."""
        killed = ", ".join(f"{name} {count}x" for name, count in sorted(self.kills.items()))
        fired = ", ".join(f"{name} {count}x" for name, count in sorted(self.faults.items()))
        return [
            f"bookings              {self.bookings}",
            f"killed with -9        {killed or 'nothing'}",
            f"failures of Seam      {fired or 'none'}",
            f"codes missing         {len(self.missing)} {self.missing[:5] or ''}",
            f"codes made twice      {len(self.twice)} {self.twice[:5] or ''}",
            f"codes nobody wanted   {len(self.unwanted)} {self.unwanted[:5] or ''}",
            f"bookings in doubt     {len(self.in_doubt)} {self.in_doubt[:5] or ''}",
            f"bookings unsettled    {len(self.unsettled)} {self.unsettled[:5] or ''}",
            f"last fault to settled {self.recovered_after:.1f} s",
        ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One booking of the run and what must become of it."""

    booking_id: str
    device_id: str
    message: str
    codes: int
    state: str


class FaultRun:
    """One run on a machine that is up."""

    def __init__(self, machine: Machine, *, bookings: int, doors: int, seconds: float, seed: int) -> None:
        self._machine = machine
        self._random = random.Random(seed)
        self._seconds = seconds
        self._result = Result(bookings=bookings)
        self._over = threading.Event()
        good = [machine.add_door(("16:00", "10:00")) for _ in range(doors)]
        bad = machine.add_door(("03:00", "04:00"))
        self._wanted = [self._booking(number, good, bad) for number in range(bookings)]

    def run(self, victims: tuple[str, ...]) -> Result:
        """Publish, kill, mend, wait, count."""
        for number, fault in enumerate(FAULTS):
            self._machine.seam("POST", "/sandbox/faults", {**fault, "times": None, "seed": number})
        killer = threading.Thread(target=self._kill, args=(victims,), daemon=True)
        killer.start()
        pause = self._seconds / len(self._wanted)
        for wanted in self._wanted:
            self._publish(wanted)
            time.sleep(pause * self._random.random() * 2)
        self._over.set()
        killer.join()
        for fault in self._machine.seam("GET", "/sandbox/faults")["faults"]:
            self._result.faults[f"{fault['operation']} {fault['kind']}"] += fault["fired"]
        self._machine.seam("DELETE", "/sandbox/faults")
        mended_at = time.monotonic()
        self._wait(within=180)
        self._result.recovered_after = time.monotonic() - mended_at
        self._count()
        return self._result

    def _booking(self, number: int, good: list[str], bad: str) -> Wanted:
        today = system_clock().date()
        first = today + timedelta(days=2 + number % 9)
        # Every eleventh fits no slot of its door: it must wait, and never get a code.
        is_misfit = number % 11 == 10
        device_id = bad if is_misfit else good[number % len(good)]
        booking = {
            "booking_id": f"FR-{number:05}",
            "device_ids": [device_id],
            "check_in": f"{first}T15:45",
            "check_out": f"{first + timedelta(days=3)}T10:15",
        }
        kind = "booking.created"
        envelope = {"specversion": "1.0", "id": str(uuid4()), "source": "/faults", "type": kind, "data": booking}
        codes, state = (0, "waiting") if is_misfit else (1, "ready")
        return Wanted(str(booking["booking_id"]), device_id, json.dumps(envelope), codes, state)

    def _publish(self, wanted: Wanted) -> None:
        """Append until the server says that it has it, as a booking system would; now and then twice."""
        for _ in range(2 if self._random.random() < 0.1 else 1):
            while True:
                try:
                    with self._machine.redis() as redis:
                        redis.xadd("booking-created", {"message": wanted.message})
                    break
                except (RedisError, OSError, ValueError):
                    time.sleep(0.1)

    def _kill(self, victims: tuple[str, ...]) -> None:
        while not self._over.wait(1 + self._random.random() * 3):
            name = self._random.choice(victims)
            pid = self._machine.run()["pids"].get(name)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self._result.kills[name] += 1

    def _wait(self, within: float) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            states = self._states()
            self._result.unsettled = [
                f"{wanted.booking_id} {states.get(wanted.booking_id)}"
                for wanted in self._wanted
                if states.get(wanted.booking_id) != wanted.state
            ]
            if not self._result.unsettled:
                return
            time.sleep(0.2)

    def _states(self) -> dict[str, str]:
        with suppress(RedisError, OSError), self._machine.redis() as redis:
            return {booking.booking_id: booking.state for booking in self._machine.ledger(redis).all()}
        return {}

    def _count(self) -> None:
        codes: Counter[tuple[str, str]] = Counter()
        for code in self._machine.seam("GET", "/sandbox/access_codes")["access_codes"]:
            codes[(code["name"].split(" | ")[0], code["device_id"])] += 1
        for wanted in self._wanted:
            made = codes.pop((wanted.booking_id, wanted.device_id), 0)
            if made > max(1, wanted.codes):
                self._result.twice.append(wanted.booking_id)
            elif made > wanted.codes:
                self._result.unwanted.append(wanted.booking_id)
            elif made < wanted.codes:
                self._result.missing.append(wanted.booking_id)
        self._result.unwanted += [name for name, _ in codes if name.startswith("FR-")]
        with self._machine.redis() as redis:
            for booking in self._machine.ledger(redis).all():
                if any(door.intent is not None for door in booking.doors):
                    self._result.in_doubt.append(booking.booking_id)


def main() -> int:
    """Run the long form and print its figures; exit 1 unless everything is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=500)
    parser.add_argument("--doors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine(Path(directory) / "data", SETTINGS)
        machine.start()
        try:
            run = FaultRun(
                machine, bookings=options.bookings, doors=options.doors, seconds=options.seconds, seed=options.seed
            )
            result = run.run(("worker", "worker", "redis", "web", "beat"))
        finally:
            machine.stop()
    print(f"seed {options.seed}")
    print("\n".join(result.lines()))
    return 0 if result.is_clean() else 1


if __name__ == "__main__":
    sys.exit(main())
