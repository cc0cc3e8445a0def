"""The whole system, with its Seam the stand-in that was written from the schema alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.harness import in_days
from tests.standin.seam import API_KEY, SECRET, StandIn, running
from tests.support.machine import Machine
from tests.support.waiting import wait_until


class Stage:
    """The running system and its Seam."""

    def __init__(self, seam: StandIn, machine: Machine, doors: list[str]) -> None:
        self.seam = seam
        self.machine = machine
        self.doors = doors

    def book(self, booking_id: str, door: str, *, nights: int = 3, revision: int = 0) -> None:
        """Publish a booking for a stay of the door's hotel slot, or a newer revision of it."""
        times = {"check_in": in_days(2, "15:05:00", offset=""), "check_out": in_days(2 + nights, "09:55:00", offset="")}
        more = {"type": "booking.updated", "revision": revision} if revision else {}
        self.machine.publish(booking_id=booking_id, device_ids=[door], **times, **more)

    def cancel(self, booking_id: str) -> None:
        """Publish the booking's cancellation."""
        self.machine.publish(booking_id=booking_id, type="booking.cancelled", revision=1)

    def stands(self, booking_id: str) -> tuple[str, str]:
        """Return state and reason, as `bookings show` has them."""
        booking = self.machine.booking(booking_id)
        return str(booking.get("state")), str(booking.get("reason"))

    def until(self, booking_id: str, state: str, reason: str = "") -> None:
        """Wait until the booking stands so."""
        wait_until(lambda: self.stands(booking_id) == (state, reason), within=60, what=f"{booking_id} {state} {reason}")

    def ready(self, booking_id: str, door: str) -> None:
        """Publish a booking and wait until its code is confirmed."""
        self.book(booking_id, door)
        self.until(booking_id, "ready")

    def told(self, what: str, *words: str) -> dict[str, Any]:
        """Wait for the newest alert about a booking, a door or an account that has all of these words; return it."""

        def found() -> dict[str, Any] | None:
            texts = ((each, json.dumps(each)) for each in reversed(self.seam.alerts))
            return next((each for each, text in texts if what in text and all(word in text for word in words)), None)

        return wait_until(found, within=60, what=f"an alert of {what} with {words}") or {}

    def story(self, booking_id: str, what: str) -> list[str]:
        """Return the lines of this kind in the booking's story."""
        history = self.machine.booking(booking_id).get("history", [])
        return [str(line["text"]) for line in history if line["what"] == what]

    def creates(self, booking_id: str) -> int:
        """Return how often Seam was asked for a code for the booking."""
        made = [asked for path, asked in self.seam.calls if path == "/access_codes/create"]
        return sum(str(asked["name"]).startswith(booking_id) for asked in made)

    def doctor(self) -> dict[str, dict[str, Any]]:
        """Return what `oracode doctor` finds, by its subjects."""
        lines = self.machine.oracode("doctor", "--json").stdout.splitlines()
        return {str(found["subject"]): found for found in map(json.loads, lines)}


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run both once, with waits that a test can sit out."""
    directory = tmp_path_factory.mktemp("standin")
    doors_file = directory / "doors.yaml"
    with running() as (seam, url):
        account_id = seam.add_account("Beach")
        doors = [seam.add_door(account_id, f"Door {number}") for number in range(1, 7)]
        doors_file.write_text("".join(f"Unit {door[:8]}: {{device_ids: [{door}]}}\n" for door in doors))
        settings = {
            "SEAM_ENDPOINT": url,
            "SEAM_API_KEY": API_KEY,
            "SEAM_WEBHOOK_SECRET": SECRET,
            "ALERT_URLS": f"webhook+http://{SECRET}@{url.removeprefix('http://')}/alerts",
            "DOORS_FILE": str(doors_file),
            "ALERT_GROUP_WINDOW": "1s",
            "DOOR_CACHE_FOR": "1s",
            "WAITING_RETRY_EVERY": "2s",
        }
        machine = Machine(Path(directory) / "data", settings)
        machine.start()
        try:
            seam.webhook_url = f"{machine.run()['web_url']}/webhooks/seam"
            yield Stage(seam, machine, doors)
        finally:
            machine.stop()
