"""The primary is lost under webhooks and bookings: what is lost or made twice, and how soon everything follows."""

import argparse
import json
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import httpx
from redis.exceptions import RedisError

from tests.faults.load import WebhookLoad, fitting_stay, wait_for_all
from tests.faults.recovery import Killer
from tests.faults.table import Row, table
from tests.support.failover import Failover, failover
from tests.support.machine import Machine
from tests.support.waiting import wait_until

SETTINGS = {"WAITING_RETRY_EVERY": "3s", "DOOR_CACHE_FOR": "2s", "RECLAIM_AFTER": "6s", "SEAM_TIMEOUT": "2s"}
# The promise: seconds after the promotion until `web` accepts, and until the worker records.
FOLLOWS_WITHIN = 5.0
_BOOKINGS = 16
_PAUSE = 0.25
_PROBE_EVERY = 0.5
# How long after the promotion the others can reach the old primary again.
_SPLIT_FOR = 5.0
# If fewer replicas are left than SYNC_REPLICAS, the old primary has to become a replica first.
_ACCEPTS_WITHIN = 40.0
_READY_WITHIN = 60.0

Fault = Callable[[Failover], None]


def kill(servers: Failover) -> None:
    """End the primary without warning."""
    servers.primary.kill()


def freeze(servers: Failover) -> None:
    """Stop the primary until after the promotion: then it runs again, and believes that it is the primary."""
    servers.primary.send(signal.SIGSTOP)
    servers.promoted()
    servers.primary.send(signal.SIGCONT)


def split(servers: Failover) -> None:
    """Cut the primary off from replicas and Sentinels for a while: clients still reach it, and it accepts writes."""
    servers.split()
    servers.promoted()
    threading.Timer(_SPLIT_FOR, servers.heal).start()


def kill_while_the_replicas_are_behind(servers: Failover) -> None:
    """Stop replication for a moment, then end the primary: the replicas lack the last writes."""
    servers.cut_replicas_off()
    time.sleep(1.0)
    servers.primary.kill()


FAULTS = (kill, kill_while_the_replicas_are_behind, freeze, split)
# There the old primary lives on, perhaps with one of its two replicas: only what both of them have is kept.
_LIVES_ON = (freeze, split)
_REPLICAS = 2


class BookingLoad:
    """Sends bookings by HTTP, each for a door of its own, and repeats each until it is accepted."""

    def __init__(self, machine: Machine) -> None:
        run = machine.run()
        self._url, self._token = run["web_url"], run["booking_token"]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._doors = [machine.add_door(("16:00", "10:00")) for _ in range(_BOOKINGS)]
        # By booking id: its door, and its message.
        self.accepted: dict[str, str] = {}
        self.messages: dict[str, str] = {}

    def is_done(self) -> bool:
        """Whether all of them are accepted."""
        return len(self.accepted) == len(self._doors)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending."""
        self._stopping.set()
        self._thread.join()

    def _send(self) -> None:
        headers = {"authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._url, timeout=15, headers=headers) as client:
            for door in self._doors:
                booking_id = f"FO-{uuid4().hex[:8]}"
                booking = {"booking_id": booking_id, "device_ids": [door], **fitting_stay()}
                envelope = {"specversion": "1.0", "id": str(uuid4()), "source": "/test", "type": "booking.created"}
                message = json.dumps({**envelope, "data": booking})
                while not self._accepts(client, message):
                    if self._stopping.wait(0.1):
                        return
                self.messages[booking_id] = message
                self.accepted[booking_id] = door
                if self._stopping.wait(_PAUSE):
                    return

    def send_again(self) -> None:
        """Send all of them again, as people are told to do."""
        headers = {"authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._url, timeout=15, headers=headers) as client:
            for message in self.messages.values():
                while not self._accepts(client, message):
                    time.sleep(0.1)

    @staticmethod
    def _accepts(client: httpx.Client, message: str) -> bool:
        try:
            return client.post("/bookings", content=message).status_code == 202
        except httpx.HTTPError:
            return False


@contextmanager
def replicated_machine(directory: Path, settings: Mapping[str, str]) -> Iterator[tuple[Machine, Failover]]:
    """Run the whole system on a primary with two replicas and Sentinels: after a failover one replica is left."""
    with failover(directory / "servers", replicas=_REPLICAS) as servers:
        machine = Machine(directory / "data", {**SETTINGS, **settings, "REDIS_URL": servers.url})
        try:
            machine.start()
            yield machine, servers
        finally:
            machine.stop()


def fail_over(directory: Path, fault: Fault, *, sync_replicas: int) -> tuple[Row, dict[str, float]]:
    """Cause one failover under load; return its row, and how long after the promotion each part worked."""
    keeps = sync_replicas >= (_REPLICAS if fault in _LIVES_ON else 1)
    # With fewer replicas left, everything waits until the old primary is one of them.
    within = FOLLOWS_WITHIN if sync_replicas < _REPLICAS else None
    row = Row(f"{fault.__name__.replace('_', ' ')}, SYNC_REPLICAS={sync_replicas}", times=1, within=within)
    took: dict[str, float] = {}
    with replicated_machine(directory, {"SYNC_REPLICAS": str(sync_replicas)}) as (machine, servers):
        webhooks, bookings = WebhookLoad(machine), BookingLoad(machine)
        webhooks.start()
        bookings.start()
        try:
            wait_until(lambda: len(bookings.accepted) >= _BOOKINGS // 3, what="bookings are accepted")
            began = time.monotonic()
            fault(servers)
            servers.promoted()
            promoted = time.monotonic()
            took["promoted after the fault"] = promoted - began
            before = len(webhooks.accepted)
            wait_until(lambda: len(webhooks.accepted) > before, within=_ACCEPTS_WITHIN, what="web accepts again")
            took["web accepts"] = time.monotonic() - promoted
            wait_until(_recording(machine), within=20, what="the worker records again")
            took["worker records"] = time.monotonic() - promoted
            row.seconds = [took["worker records"]]
            wait_until(lambda: len(bookings.accepted) == _BOOKINGS, within=30, what="all bookings are accepted")
        finally:
            webhooks.stop()
            bookings.stop()
        lost = wait_for_all(webhooks, machine, within=30 if keeps else 10)
        if keeps:
            row.lost += lost
        else:
            lost += [each for each in bookings.accepted if not machine.booking(each)]
            row.notes.append(f"{len(lost)} were lost, which SYNC_REPLICAS={sync_replicas} allows here")
            if lost:
                wait_until(lambda: "ledger_rolled_back" in str(machine.alerts()), within=30, what="people are told")
            bookings.send_again()
        row.lost += not_ready(machine, bookings)
        row.twice += [door for door in bookings.accepted.values() if len(machine.codes(door)) > 1]
        row.notes.append(f"{len(webhooks.accepted)} webhooks, {len(bookings.accepted)} bookings were accepted")
        row.notes.append(", ".join(f"{what} {seconds:.1f} s" for what, seconds in took.items()))
    return row, took


def not_ready(machine: Machine, bookings: BookingLoad) -> list[str]:
    """Wait until each booking has its code; return those that haven't."""
    deadline = time.monotonic() + _READY_WITHIN
    left = list(bookings.accepted)
    while left and time.monotonic() < deadline:
        with suppress(RedisError, OSError):
            left = [each for each in left if machine.booking(each).get("state") != "ready"]
        time.sleep(0.2)
    return left


def _recording(machine: Machine) -> Callable[[], bool]:
    """Return a function that says whether events are recorded: it sends a new one every half second."""
    killer = Killer(machine, random.Random(1), {})
    probes: list[Callable[[], bool]] = []
    added_at = 0.0

    def is_recorded() -> bool:
        nonlocal added_at
        if time.monotonic() - added_at > _PROBE_EVERY:
            added_at = time.monotonic()
            probes.append(killer._event_probe())
        with suppress(RedisError, OSError):
            return any(probe() for probe in probes)
        return False

    return is_recorded


def main() -> int:
    """Print the table of some failovers, for `make faults`; exit 1 if a promise wasn't kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--fault", choices=[each.__name__ for each in FAULTS], action="append")
    parser.add_argument("--sync-replicas", type=int, action="append")
    options = parser.parse_args()
    rows = []
    for fault in FAULTS:
        for sync_replicas in options.sync_replicas or ((2, 0) if fault in _LIVES_ON else (1, 0)):
            if options.fault and fault.__name__ not in options.fault:
                continue
            for _ in range(options.times):
                directory = Path(mkdtemp(prefix="failover-"))
                row, _ = fail_over(directory, fault, sync_replicas=sync_replicas)
                if row.is_clean():
                    shutil.rmtree(directory)
                else:
                    print(f"its data is in {directory}", flush=True)
                print(*table([row])[2:-2], sep="\n", flush=True)
                rows.append(row)
    print(*table(_joined(rows)), sep="\n")
    return 0 if all(row.is_clean() for row in rows) else 1


def _joined(rows: list[Row]) -> list[Row]:
    """Return one row for all of a kind."""
    joined: dict[str, Row] = {}
    for row in rows:
        one = joined.setdefault(row.what, Row(row.what, within=row.within))
        one.times += row.times
        for name in ("lost", "twice", "seconds", "notes", "broken"):
            getattr(one, name).extend(getattr(row, name))
    return list(joined.values())


if __name__ == "__main__":
    raise SystemExit(main())
