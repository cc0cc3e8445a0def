"""The demo: sends bookings through the running system so that every state is reached, and checks the results.

Bookings are published to the stream, as a booking system would. Doors, faults and the installer's work are made by the
sandbox's control endpoints. The results are read from the ledger, and from the sandbox's alert sink.
"""

import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
from redis import Redis
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deploy.local.addresses import Addresses
from deploy.local.scenarios import Scenario, scenarios
from shared.clock import system_clock
from shared.domain.booking.record import Booking, State
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.due_set import DueSet
from shared.parked import ParkedList
from shared.redis_client import connect

_WITHIN: Final = timedelta(seconds=80)
_POLL: Final = 0.2
_STREAM: Final = "booking-created"
_BAD_MESSAGE: Final = {"booking_id": "BROKEN", "check_in": "tomorrow", "check_out": "2026-02-30T10:00"}
_PARKED: Final = ("message_parked", "booking_parked")


@dataclass(slots=True)
class _Run:
    """What was seen of one scenario so far."""

    scenario: Scenario
    seen: list[str] = field(default_factory=list)
    state: str = "published"
    reason: str = ""
    has_acted: bool = False

    def ended_as_expected(self) -> bool:
        """Whether the booking ended as the scenario says, and was in the states that it names."""
        is_ended = (self.state, self.reason) == self.scenario.ends_as
        return is_ended and all(state in self.seen for state in self.scenario.through)


class Demo:
    """One run of the demo."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._redis: Redis = connect(addresses.redis_url)
        due = DueSet(self._redis, lease=timedelta(minutes=1))
        self._ledger = BookingLedger(self._redis, due=due, clock=system_clock, retention=timedelta(days=1))
        self._parked = ParkedList(self._redis)
        self._seam = httpx.Client(base_url=addresses.seam_url, timeout=10)
        self._run_id = uuid4().hex[:4].upper()
        self.runs = [_Run(scenario) for scenario in scenarios(self._run_id, system_clock())]
        self._bad_entry = ""
        self.started_at = time.monotonic()
        self.first_ready_after: float | None = None

    def publish(self) -> None:
        """Make the doors, set the faults, and publish the bookings and one unusable message."""
        for run in self.runs:
            for door in run.scenario.doors:
                self._seam.post("/sandbox/devices", json=door).raise_for_status()
            for fault in run.scenario.faults:
                device_id = run.scenario.booking["device_ids"][0]
                self._seam.post("/sandbox/faults", json={**fault, "device_id": device_id}).raise_for_status()
            self._append(dict(run.scenario.booking))
        self._bad_entry = self._append(_BAD_MESSAGE)

    def read_states(self) -> None:
        """Read the state of every booking, and act if its scenario says so."""
        for run in self.runs:
            try:
                booking = self._ledger.get(run.scenario.booking_id)
            except UnknownBooking:
                continue
            run.state, run.reason = booking.state, booking.reason
            run.seen = self._states_of(booking)
            self._act(run)
            if self.first_ready_after is None and "ready" in run.seen:
                self.first_ready_after = time.monotonic() - self.started_at

    def is_over(self) -> bool:
        """Whether every booking ended as it should, every alert arrived, and the unusable message was parked."""
        return all(run.ended_as_expected() for run in self.runs) and not self.missing_alerts() and self.is_bad_parked()

    def is_bad_parked(self) -> bool:
        """Whether the unusable message is on the parked list."""
        return any(entry.parked.source_id == self._bad_entry for entry in self._parked.list())

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts of this demo that the sink got by signed webhook, oldest first."""
        received: Iterable[Mapping[str, Any]] = self._seam.get("/alerts.json").json()["alerts"]
        messages = (json.loads(each["body"]) for each in received if each["channel"] == "webhook")
        bodies = (alert for message in messages for alert in message["alerts"])
        ours = {run.scenario.booking_id for run in self.runs}
        return [body for body in bodies if body["key"].split("/")[1] in ours or body["problem"] in _PARKED]

    def missing_alerts(self) -> list[str]:
        """Return the alerts that should have arrived and haven't."""
        alerts = self.alerts()
        arrived = {(each["key"].split("/")[1], each["problem"], each["status"]) for each in alerts}
        wanted = [(run.scenario.booking_id, problem, "open") for run in self.runs for problem in run.scenario.alerts]
        wanted += [
            (run.scenario.booking_id, problem, "resolved")
            for run in self.runs
            if run.scenario.later_slots
            for problem in run.scenario.alerts
        ]
        return [" ".join(each) for each in wanted if each not in arrived]

    def _states_of(self, booking: Booking) -> list[str]:
        history = self._ledger.history(booking.booking_id)
        changes = (entry.what.removeprefix("booking.") for entry in history if entry.what.startswith("booking."))
        return list(dict.fromkeys(change for change in changes if change in set(State)))

    def _act(self, run: _Run) -> None:
        """Do what the scenario says once: set up slots for a booking that waits, or cancel it."""
        scenario = run.scenario
        if run.has_acted:
            return
        if scenario.later_slots is not None and run.state == "waiting" and self._is_told(scenario):
            device_id = scenario.booking["device_ids"][0]
            slots = {"slots": [dict(scenario.later_slots)]}
            self._seam.patch(f"/sandbox/devices/{device_id}", json=slots).raise_for_status()
            run.has_acted = True
        if scenario.cancelled_when is not None and run.state == scenario.cancelled_when:
            self._append({"booking_id": scenario.booking_id, "revision": 1}, kind="booking.cancelled")
            run.has_acted = True

    def _is_told(self, scenario: Scenario) -> bool:
        return any(alert["key"].split("/")[1] == scenario.booking_id for alert in self.alerts())

    def _append(self, booking: dict[str, Any], kind: str = "booking.created") -> str:
        envelope = {"specversion": "1.0", "id": str(uuid4()), "source": "/demo", "type": kind, "data": booking}
        return str(self._redis.xadd(_STREAM, {"message": json.dumps(envelope)}))


def run_demo(addresses: Addresses, stopping: threading.Event) -> int:
    """Run the demo; return 0 only if every booking ended as it should."""
    demo = Demo(addresses)
    demo.publish()
    if sys.stdout.isatty():
        _follow_live(demo, stopping)
    else:
        _follow_lines(demo, stopping)
    demo.read_states()
    _report(demo, addresses)
    return 0 if demo.is_over() else 1


def _follow_live(demo: Demo, stopping: threading.Event) -> None:
    with Live(_table(demo), auto_refresh=False) as live:
        while not _is_done(demo, stopping):
            live.update(_table(demo), refresh=True)
            time.sleep(_POLL)
        live.update(_table(demo), refresh=True)


def _follow_lines(demo: Demo, stopping: threading.Event) -> None:
    shown: dict[str, int] = {}
    while True:
        is_done = _is_done(demo, stopping)
        for run in demo.runs:
            for state in run.seen[shown.get(run.scenario.booking_id, 0) :]:
                print(f"{run.scenario.booking_id:<16} {state}", flush=True)
            shown[run.scenario.booking_id] = len(run.seen)
        if is_done:
            return
        time.sleep(_POLL)


def _is_done(demo: Demo, stopping: threading.Event) -> bool:
    demo.read_states()
    return stopping.is_set() or demo.is_over() or time.monotonic() - demo.started_at > _WITHIN.total_seconds()


def _table(demo: Demo) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=None)
    table.add_column("BOOKING", no_wrap=True)
    table.add_column("NOW", no_wrap=True)
    table.add_column("SHOULD END AS", no_wrap=True)
    # One line for each booking, cut if it is too long: so a small terminal shows all of them.
    table.add_column("WHAT IT SHOWS", no_wrap=True, overflow="ellipsis")
    for run in demo.runs:
        wanted, reason = run.scenario.ends_as
        done = run.ended_as_expected()
        mark = Text("✓ " if done else "· ", style="green" if done else "dim")
        table.add_row(
            mark + Text(run.scenario.booking_id),
            Text(run.state, style="green" if done else "yellow"),
            f"{wanted}{f' ({reason})' if reason else ''}",
            run.scenario.title,
        )
    return table


def _report(demo: Demo, addresses: Addresses) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
        console.print(_table(demo))
    console.print("\n[bold]Alerts that went out[/bold] (to Slack and to a signed webhook, both played by the sandbox)")
    for alert in demo.alerts():
        sign = "resolved" if alert["status"] == "resolved" else alert["severity"]
        console.print(Padding(Text(f"{sign}: {alert['subject']}: {alert['happened']}"), (0, 0, 0, 2)))
        if alert["status"] == "open":
            console.print(Padding(Text(f"next: {alert['next_step']}", style="dim"), (0, 0, 0, 6)))
    _verdict(demo, console)
    example = next(run.scenario.booking_id for run in demo.runs if run.scenario.alerts)
    console.print("\n[bold]Where to look next[/bold]: start the same system again with [bold]make run[/bold], then")
    console.print("  . .venv/bin/activate")
    console.print(f"  oracode bookings show {example}    one booking's whole story", highlight=False)
    console.print("  oracode bookings list                all of them; and `oracode parked list`, `oracode doctor`")
    console.print(f"  {addresses.alerts_url}      the alerts as people get them", soft_wrap=True)
    console.print(f"  {addresses.directory / 'logs'}/      what each process said", markup=False, soft_wrap=True)


def _verdict(demo: Demo, console: Console) -> None:
    seen = {state for run in demo.runs for state in run.seen}
    wrong = [run for run in demo.runs if not run.ended_as_expected()]
    seconds = time.monotonic() - demo.started_at
    first = f"{demo.first_ready_after:.1f} s" if demo.first_ready_after is not None else "never"
    console.print(f"\nStates seen: {', '.join(sorted(seen))}. First ready after {first}; {seconds:.0f} s in all.")
    for run in wrong:
        wanted, reason = run.scenario.ends_as
        through = f" through {', '.join(run.scenario.through)}" if run.scenario.through else ""
        is_now = f"{run.scenario.booking_id} is {run.state} ({run.reason})"
        console.print(f"[bold red]{is_now}, and should be {wanted} ({reason}){through}")
    for missing in demo.missing_alerts():
        console.print(f"[bold red]this alert never arrived: {missing}")
    if not demo.is_bad_parked():
        console.print("[bold red]the unusable message was not put aside")
    if demo.is_over():
        console.print("[bold green]Every booking ended as it should.")
