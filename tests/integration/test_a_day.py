"""A day of 200 bookings on the whole system, while webhooks get lost, doubled and shuffled, or never come at all.

Seam goes away for a while, guests change their minds, and somebody at the office deletes and changes codes by hand.
Afterwards the ledger equals what Seam knows, code by code: that is the promise, whatever became of the webhooks.
"""

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from shared.domain.booking.record import BookedDoor, Booking
from tests.sandbox.harness import in_days
from tests.support.machine import Machine
from tests.support.waiting import wait_until
from worker.cli.bookings import as_object

BOOKINGS, DOORS = 200, 25
MISCHIEF: list[Any] = [
    pytest.param({"drop": 0.3, "duplicate": 0.3, "shuffle": True, "seed": 7}, id="lost, doubled, shuffled"),
    pytest.param({"drop": 1.0}, id="no webhook at all"),
]


@pytest.fixture
def machine(tmp_path: Any) -> Iterator[Machine]:
    """Run the system with intervals of seconds where it has minutes."""
    settings = {"RECONCILE_EVERY": "1s", "RECLAIM_AFTER": "5s", "WAITING_RETRY_EVERY": "2s", "LATE_SET_AFTER": "5m"}
    it = Machine(tmp_path / "day", settings)
    it.start()
    yield it
    it.stop()


class Day:
    """What the day brings."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.doors = [machine.add_door(("16:00", "10:00")) for _ in range(DOORS)]
        self.dice = random.Random(11)
        self.bookings: list[str] = []

    def book(self, count: int) -> None:
        """Let bookings come in."""
        for _ in range(count):
            number = len(self.bookings)
            first = 2 + number % 5
            self.bookings.append(
                self.machine.publish(
                    booking_id=f"DAY-{number}",
                    device_ids=[self.doors[number % DOORS]],
                    check_in=in_days(first, "15:45:00", offset=""),
                    check_out=in_days(first + 3, "10:15:00", offset=""),
                )
            )

    def change_minds(self) -> None:
        """Cancel some bookings, and prolong others."""
        for number, booking_id in enumerate(self.bookings[:40]):
            door = self.doors[number % DOORS]
            if number % 4 == 0:
                self.machine.publish(booking_id=booking_id, type="booking.cancelled", revision=1)
            elif number % 4 == 1:
                first = 2 + number % 5
                stay = {
                    "check_in": in_days(first, "15:45:00", offset=""),
                    "check_out": in_days(first + 4, "10:15:00", offset=""),
                }
                self.machine.publish(
                    booking_id=booking_id, type="booking.updated", revision=1, device_ids=[door], **stay
                )

    def meddle(self) -> None:
        """Let somebody change codes by hand, at Seam."""
        codes = self.machine.seam("GET", "/sandbox/access_codes")["access_codes"]
        alive = [each for each in codes if each["phase"] == "set"]
        for code in self.dice.sample(alive, 12):
            kinds = ["removed", "converted_to_unmanaged", "no_space", "modified_external", "deleted_external"]
            what: dict[str, Any] = {"simulate": self.dice.choice(kinds)}
            if self.dice.random() < 0.3:
                what = {"simulate": "time_frame_changed"}
            self.machine.seam("PATCH", f"/sandbox/access_codes/{code['access_code_id']}", what)


@pytest.mark.parametrize("mischief", MISCHIEF)
def test_the_ledger_equals_what_seam_knows(machine: Machine, mischief: dict[str, Any]) -> None:
    """Code by code, in every state; each booking that should have a code has exactly one."""
    day = Day(machine)
    machine.seam("POST", "/sandbox/delivery", mischief)
    day.book(BOOKINGS // 2)
    wait_until(lambda: len(_codes(machine)) >= BOOKINGS // 4, within=60, what="the first codes")
    machine.seam("POST", "/sandbox/outage", {"on": True})
    day.book(BOOKINGS - len(day.bookings))
    day.change_minds()
    wait_until(lambda: len(_ledger(machine)) == BOOKINGS, within=60, what="the ledger to know all bookings")
    machine.seam("POST", "/sandbox/outage", {"on": False})
    wait_until(lambda: not _unsettled(machine), within=120, what="the day to settle")
    day.meddle()
    wait_until(lambda: not _differences(machine), within=60, what="the ledger to equal Seam")
    assert not _unsettled(machine)
    if mischief["drop"] == 1.0:
        assert any(alert["key"] == "webhooks/missing" for alert in machine.alerts())
    # Later news changes nothing about it.
    machine.seam("POST", "/sandbox/delivery", {})
    assert _differences(machine) == []


def _ledger(machine: Machine) -> list[Booking]:
    with machine.redis() as redis:
        return list(machine.ledger(redis).all())


def _codes(machine: Machine) -> list[dict[str, Any]]:
    codes: list[dict[str, Any]] = machine.seam("GET", "/sandbox/access_codes")["access_codes"]
    return codes


def _unsettled(machine: Machine) -> list[Any]:
    """Return the bookings of which something is under way still."""
    settled = ("ready", "cancelled", "failed")
    # Somebody moved or broke the code at Seam: people were told, and it stays so until they mend it.
    told = (("issued", "code_problem"), ("issued", "window_differs"))
    return [
        as_object(booking)
        for booking in _ledger(machine)
        if booking.state not in settled and (booking.state, booking.reason) not in told
    ]


def _differences(machine: Machine) -> list[str]:
    """Return in words where the ledger isn't what Seam is; read independently of how the service reads."""
    at_seam = {code["access_code_id"]: code for code in _codes(machine)}
    found: list[str] = []
    known: set[str] = set()
    for booking in _ledger(machine):
        for door in booking.doors:
            known |= {code.access_code_id for code in (*door.residual, *([door.code] if door.code else []))}
            if not booking.cancelled:
                found += _door_differences(booking, door, at_seam)
    for code_id, code in at_seam.items():
        if code["phase"] != "gone" and code_id not in known:
            found.append(f"{code_id} of {code['name']} opens a door, and the ledger doesn't know it")
    return found


def _door_differences(booking: Booking, door: BookedDoor, at_seam: dict[str, Any]) -> Iterator[str]:
    if door.code is None:
        made = [code for code in at_seam.values() if code["name"] == booking.booking_id and code["phase"] != "gone"]
        residual = {code.access_code_id for code in door.residual}
        if any(code["access_code_id"] not in residual for code in made) or door.reason != "code_gone":
            yield f"{booking.booking_id} has no code, and is {door.state} ({door.reason})"
        return
    code = at_seam[door.code.access_code_id]
    expected = _expected(code, door)
    if (door.state, door.reason) != expected:
        yield f"{booking.booking_id} is {door.state} ({door.reason}), and its code says {expected}"


def _expected(code: dict[str, Any], door: BookedDoor) -> tuple[str, str]:
    """Return how a door must stand, from what the sandbox itself knows of its code."""
    assert door.asked is not None
    if code["phase"] == "gone":
        return "failed", "code_gone"
    if not code["is_managed"]:
        return "failed", "code_unmanaged"
    if code["errors"]:
        is_retried = code["errors"][0]["error_code"] == "conflicting_external_modification"
        return "issued" if is_retried else "failed", "code_problem"
    window = tuple(datetime.fromisoformat(code[name]) for name in ("starts_at", "ends_at"))
    if code["phase"] == "set":
        if window == (door.asked.starts_at, door.asked.ends_at):
            return "ready", ""
        starts_at = max(door.asked.starts_at, door.check_in or door.asked.starts_at)
        ends_at = min(door.asked.ends_at, door.check_out or door.asked.ends_at)
        return "ready" if window[0] <= starts_at and ends_at <= window[1] else "issued", "window_differs"
    return "issued", ""
