"""The whole system as a newcomer starts it: `oracode up` as a process. Tests use it only from outside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from redis import Redis

from shared.clock import system_clock
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.due_set import DueSet
from shared.redis_client import connect
from tests.support.forked_command import run_oracode
from tests.support.waiting import PATIENCE, wait_until
from worker.cli.bookings import story_object

PROJECT = Path(__file__).resolve().parents[2]
_ORACODE = Path(sys.executable).parent / "oracode"
_OURS = ("SEAM_", "REDIS_", "CELERY_", "BOOKING_", "ALERT", "DOORS_", "ORACODE_", "SANDBOX_")


class Machine:
    """One `oracode up` in its own directory. It gets no settings from the test's environment.

    `project` is the checkout with the code that runs; by default this one.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str] | None = None,
        *,
        project: Path = PROJECT,
        enter: Sequence[str] = (),
        seen_at: Path | None = None,
    ) -> None:
        """Prepare a machine. If only some processes see its disk, `enter` before a command makes it one of them.

        `seen_at` is then the path of the directory for all other processes.
        """
        self.directory = seen_at or directory
        self._project = project
        self._given_directory = directory
        self._output = directory.parent / f"{directory.name}.out"
        self._oracode = (*enter, str(_ORACODE))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        self._environment = {**kept, "PYTHONPATH": str(project), **(settings or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        """Start the machine, and wait for its `run.json`. One that an earlier run left behind doesn't count."""
        (self.directory / "run.json").unlink(missing_ok=True)
        with self._output.open("a") as output:
            self._process = subprocess.Popen(
                [*self._oracode, "up", "--data-dir", str(self._given_directory), *arguments],
                env=self._environment,
                cwd=self._project,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        wait_until(lambda: (self.directory / "run.json").exists() or self._is_over(), within=60, what="run.json")
        assert not self._is_over(), self.output()

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = PATIENCE * 10.0) -> int:
        """Send the signal, and return the exit status. Fails if the end takes longer than `within` seconds."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(within)

    def run(self) -> dict[str, Any]:
        """Return `run.json` as it is now."""
        content: dict[str, Any] = json.loads((self.directory / "run.json").read_text())
        return content

    def redis(self) -> Redis:
        """Connect to the machine's data server."""
        return connect(self.run()["redis_url"])

    def oracode(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one `oracode` command against the machine."""
        environment = {**self._environment, "ORACODE_DATA_DIR": str(self._given_directory)}
        if self._project == PROJECT and len(self._oracode) == 1:
            return run_oracode(arguments, environment=environment, folder=self._project, stdin=stdin)
        return subprocess.run(
            [*self._oracode, *arguments],
            env=environment,
            cwd=self._project,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def seam(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox: its API with our key, or its control endpoints."""
        run = self.run()
        answer = httpx.request(
            method,
            f"{run['seam_url']}{path}",
            json=body,
            headers={"authorization": f"Bearer {run['seam_api_key']}"},
            timeout=20,
        )
        answer.raise_for_status()
        return answer.json()

    def add_door(self, *slots: tuple[str, str], **more: Any) -> str:
        """Add a door with slots of these times and return its device_id."""
        device_id = str(uuid4())
        listed = [{"name": f"{a}-{b}", "check_in": a, "check_out": b} for a, b in slots]
        self.seam("POST", "/sandbox/devices", {"device_id": device_id, "name": "Room", "slots": listed, **more})
        return device_id

    def publish(self, **booking: Any) -> str:
        """Append a booking message as any client would and return the booking's id."""
        booking = {"booking_id": f"BK-{uuid4().hex[:8]}", **booking}
        kind = booking.pop("type", "booking.created")
        envelope = {"specversion": "1.0", "id": str(uuid4()), "source": "/test", "type": kind, "data": booking}
        with self.redis() as redis:
            redis.xadd("booking-created", {"message": json.dumps(envelope)})
        return str(booking["booking_id"])

    def booking(self, booking_id: str) -> dict[str, Any]:
        """Return the booking as `bookings show --json` prints it; empty where there is none."""
        with self.redis() as redis:
            ledger = self.ledger(redis)
            try:
                return story_object(ledger.get(booking_id), ledger.history(booking_id))
            except UnknownBooking:
                return {}

    def ledger(self, redis: Redis) -> BookingLedger:
        """Return the machine's booking ledger, for reading."""
        due = DueSet(redis, lease=timedelta(minutes=1))
        return BookingLedger(redis, due=due, clock=system_clock, retention=timedelta(days=1))

    def wait_for(self, booking_id: str, state: str, *, within: float = 30.0) -> dict[str, Any]:
        """Wait until the booking is in this state, and return it."""

        def in_state() -> dict[str, Any] | None:
            booking = self.booking(booking_id)
            return booking if booking.get("state") == state else None

        return wait_until(in_state, within=within, what=f"{booking_id} {state}: {self.booking(booking_id)}") or {}

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that the signed webhook got, one by one, also if one notification held several."""
        got: Iterable[dict[str, Any]] = self.seam("GET", "/alerts.json")["alerts"]
        messages = (json.loads(each["body"]) for each in got if each["channel"] == "webhook")
        return [alert for message in messages for alert in message["alerts"]]

    def codes(self, device_id: str) -> list[dict[str, Any]]:
        """Return every code that the sandbox has made on a door, also deleted ones."""
        found: list[dict[str, Any]] = self.seam("GET", f"/sandbox/access_codes?device_id={device_id}")["access_codes"]
        return found

    def output(self) -> str:
        """Return what `oracode up` printed."""
        return self._output.read_text()

    def logs(self) -> str:
        """Return everything that every process logged."""
        return "\n".join(path.read_text(errors="replace") for path in (self.directory / "logs").glob("*.log"))

    def _is_over(self) -> bool:
        return self._process is not None and self._process.poll() is not None
