"""The fault run: bookings go through the real system while processes are killed and Seam fails after the effect.

Afterwards the sandbox is asked which codes exist. There must be exactly one for each booking and door that should have
one, none for the others, and none in doubt; everything is searched for PINs and keys. Then come the drills, on machines
of their own. `make faults` runs the long form of all and ends with one table; shorter forms are tests.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError

from shared.clock import system_clock
from tests.faults.load import WebhookLoad, wait_for_all
from tests.faults.recovery import Killer
from tests.faults.result import Result
from tests.faults.secrets_search import search_secrets
from tests.faults.stages import LONG, SETTINGS, run_drills
from tests.faults.table import table
from tests.faults.traffic import Handover
from tests.support.machine import Machine
from tests.support.rabbitmq import RabbitMQ
from tests.support.waiting import PATIENCE

VICTIMS = ("worker", "worker", "redis", "web", "beat")
# How Seam fails: each call of these kinds with this probability, decided for each call.
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """One booking of the run, and how it must end."""

    booking_id: str
    device_id: str
    message: str
    codes: int
    state: str


class FaultRun:
    """One run on a machine that is up."""

    def __init__(
        self,
        machine: Machine,
        *,
        bookings: int,
        doors: int,
        seconds: float,
        seed: int,
        others: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self._machine = machine
        self._random = random.Random(seed)
        self._seconds = seconds
        self._result = Result(bookings=bookings)
        self._killer = Killer(machine, random.Random(seed), others or {})
        self._load = WebhookLoad(machine)
        self._handover = Handover(machine)
        self._over = threading.Event()
        # Every other door shows a code's PIN at once, in the answer to the create.
        good = [machine.add_door(("16:00", "10:00"), pin_at_create=number % 2 == 0) for number in range(doors)]
        bad = machine.add_door(("03:00", "04:00"))
        self._wanted = [self._booking(number, good, bad) for number in range(bookings)]

    def run(self, victims: tuple[str, ...], more: Sequence[Path] = ()) -> Result:
        """Publish, kill, repair, wait, count; then search everything, and the directories in `more`, for secrets."""
        for number, fault in enumerate(FAULTS):
            self._machine.seam("POST", "/sandbox/faults", {**fault, "times": None, "seed": number})
        self._load.start()
        killer = threading.Thread(target=self._kill, args=(victims,), daemon=True)
        killer.start()
        pause = self._seconds / len(self._wanted)
        for number, wanted in enumerate(self._wanted):
            self._publish(wanted, by_http=number % 3 == 0)
            time.sleep(pause * self._random.random() * 2)
        self._over.set()
        killer.join()
        self._load.stop()
        for fault in self._machine.seam("GET", "/sandbox/faults")["faults"]:
            self._result.faults[f"{fault['operation']} {fault['kind']}"] += fault["fired"]
        self._machine.seam("DELETE", "/sandbox/faults")
        mended_at = time.monotonic()
        self._wait(within=180)
        self._result.events_lost = wait_for_all(self._load, self._machine, within=60)
        self._result.recovered_after = time.monotonic() - mended_at
        self._count()
        self._result.kills = self._killer.rows()
        self._result.answers = self._load.answers
        said = self._load.said | self._handover.said
        self._result.search = search_secrets(
            self._machine, said=said, bookings=[wanted.booking_id for wanted in self._wanted], more=more
        )
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

    def _publish(self, wanted: Wanted, *, by_http: bool) -> None:
        """Send it until it is accepted, as a booking system would; sometimes twice."""
        for _ in range(2 if self._random.random() < 0.1 else 1):
            hand_over = self._handover.post if by_http else self._handover.append
            while not hand_over(wanted.message):
                time.sleep(0.1)

    def _kill(self, victims: tuple[str, ...]) -> None:
        """For half of the time one after the other, each measured; then without waiting, until each had its turn."""
        half = time.monotonic() + self._seconds / 2
        for name in cycle(self._random.sample(victims, len(victims))):
            if time.monotonic() > half or self._over.wait(0.5):
                break
            self._killer.kill_and_wait(name)
        self._killer.kill_at_random(victims, self._over.is_set)

    def _wait(self, within: float) -> None:
        deadline = time.monotonic() + PATIENCE * within
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
            self._result.events_repeated = self._load.repeated(redis)
            for booking in self._machine.ledger(redis).all():
                if any(door.intent is not None for door in booking.doors):
                    self._result.in_doubt.append(booking.booking_id)


def run_in(directory: Path, victims: tuple[str, ...], figures: Mapping[str, Any], *, broker: str = "redis") -> Result:
    """Run on a machine of its own, with Redis or RabbitMQ as the broker; RabbitMQ is killed, too."""
    node = RabbitMQ(directory / "rabbitmq") if broker == "rabbitmq" else None
    machine = Machine(directory / "data", SETTINGS | ({"CELERY_BROKER_URL": node.url} if node else {}))
    try:
        if node is not None:
            node.start()
        machine.start()
        try:
            others = {"rabbitmq": node.restart} if node else {}
            more = [directory / "rabbitmq"] if node else []
            return FaultRun(machine, **figures, others=others).run((*victims, *others), more)
        finally:
            machine.stop()
    finally:
        if node is not None:
            node.stop()


def main() -> int:
    """Run the long form and print its figures; exit 1 unless every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=500)
    parser.add_argument("--doors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    figures = {"bookings": options.bookings, "doors": options.doors, "seconds": options.seconds, "seed": options.seed}
    with tempfile.TemporaryDirectory() as directory:
        result = run_in(Path(directory), VICTIMS, figures, broker=options.broker)
        print("\n".join(["", *result.details()]), flush=True)
        drilled = run_drills(Path(directory) / "drills", LONG, broker=options.broker)
    rows = [*result.rows(), *drilled]
    print("\n".join(["", f"broker {options.broker}, seed {options.seed}", "", *table(rows)]))
    return 0 if result.is_clean() and all(row.is_clean() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
