"""Two versions side by side, on real processes: a newer one is rolled out one process at a time, and rolled back.

Webhooks and bookings come all the while. The newer version writes fields, a state, an order and a task that ours knows
nothing of.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from redis import Redis

from shared import redis_keys
from shared.contracts import OPS_STREAM, QUEUE
from shared.domain import versions
from tests.faults.load import WebhookLoad, fitting_stay, wait_for_all
from tests.faults.newer import NEW, NEWER_BOOKING, NEWER_ORDER, OLD, PAUSE, checkout, roll
from tests.faults.stages import SETTINGS
from tests.support.machine import Machine
from tests.support.waiting import PATIENCE, wait_until
from worker.consumers.unknown_tasks import MOST_RETURNS, RETURNS

# Each door has its own limit of creates a minute: what waits for that shows nothing here.
_DOORS = 40
_PAUSE = 0.5
_PAUSED = 8
# What may wait for a worker before the load waits for it. Else this would be a test of overload on a slow machine.
_MOST_WEBHOOKS, _MOST_BOOKINGS = 500, 5
# More than two workers have threads.
_UNKNOWN = 340


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkout of two releases."""
    return checkout(tmp_path_factory.mktemp("two-versions"))


@pytest.fixture(scope="module")
def machine(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Run two webs, two workers and beat, all of the older version."""
    running = Machine(tmp_path_factory.mktemp("two-versions-run") / "data", SETTINGS, project=project)
    running.start()
    yield running
    running.stop()


class BookingLoad:
    """Publishes bookings until told to stop, as fast as the workers record them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._doors = [machine.add_door(("16:00", "10:00")) for _ in range(_DOORS)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self.published: dict[str, str] = {}

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Publish no more."""
        self._stopping.set()
        self._thread.join()

    def change_all(self) -> None:
        """Send a second revision of every booking, which changes nothing of its stay."""
        for booking_id, device_id in self.published.items():
            self._send(booking_id, device_id, type="booking.updated", revision=1)

    def _publish(self) -> None:
        with Redis.from_url(self._machine.run()["redis_url"]) as redis:
            while not self._stopping.wait(_PAUSE):
                if redis.xlen("booking-created") > _MOST_BOOKINGS:
                    continue
                number = len(self.published)
                booking_id, device_id = f"TV-{number:04}", self._doors[number % _DOORS]
                self._send(booking_id, device_id)
                self.published[booking_id] = device_id

    def _send(self, booking_id: str, device_id: str, **more: Any) -> None:
        self._machine.publish(booking_id=booking_id, device_ids=[device_id], **fitting_stay(), **more)


def records(machine: Machine, load: BookingLoad) -> dict[str, dict[str, Any]]:
    """Return the bookings as they stand in the ledger, whoever wrote them, with `version`: how often that was."""
    # Others are published meanwhile.
    published = list(load.published)
    with machine.redis() as redis:
        pipeline = redis.pipeline(transaction=False)
        for booking_id in published:
            pipeline.hgetall(redis_keys.booking_record(booking_id))
        found = zip(published, pipeline.execute(), strict=True)
        return {key: {**json.loads(it["record"]), "version": int(it["version"])} for key, it in found if it}


def wait_for_ready(machine: Machine, load: BookingLoad, keys: Iterable[str], revision: int = 0) -> None:
    """Wait until these bookings are ready, and that revision's."""
    wanted = list(keys)

    def others() -> dict[str, str]:
        found = records(machine, load)
        return {
            key: found[key]["state"] if key in found else "nowhere"
            for key in wanted
            if key not in found or (found[key]["state"], found[key]["revision"]) != ("ready", revision)
        }

    deadline = time.monotonic() + PATIENCE * 90
    while (unready := others()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert unready == {}


def newest_by_newer(it: Mapping[str, Any]) -> bool:
    """Say whether the newer version was the last to write the record."""
    return bool(it.get("scribed") == it["version"])


def wait_for_both(machine: Machine, bookings: BookingLoad) -> None:
    """Wait until each version was the last to write some bookings that began from now on."""
    known = set(bookings.published)

    def both() -> bool:
        new = [newest_by_newer(it) for key, it in records(machine, bookings).items() if key not in known]
        return sum(new) >= 5 and len(new) - sum(new) >= 5

    wait_until(both, within=60, what="both versions write bookings")


def pause_some(machine: Machine, load: BookingLoad, but: Iterable[str] = ()) -> list[str]:
    """Order what the newer version alone can do, for bookings `but` for some; return them when it is done."""
    ready = [key for key, it in records(machine, load).items() if it["state"] == "ready" and key not in but]
    paused = ready[-_PAUSED:]
    with machine.redis() as redis:
        for booking_id in paused:
            order = {"schema": NEWER_ORDER, "action": PAUSE, "target": booking_id, "by": "test"}
            redis.xadd(OPS_STREAM, {"command": json.dumps(order)})
        wait_until(lambda: not redis.xlen(OPS_STREAM), within=60, what="the orders are obeyed")
    assert all("booking.paused" in lines(machine, key) for key in paused)
    return paused


def lines(machine: Machine, booking_id: str) -> list[str]:
    """Return the names of what happened to the booking."""
    with machine.redis() as redis:
        found: Any = redis.lrange(redis_keys.booking_history(booking_id), 0, -1)
        return [json.loads(line)["what"] for line in found]


def test_a_version_is_rolled_out_and_back_under_load(machine: Machine, project: Path) -> None:
    """No webhook is refused or lost, no code made twice, nothing parked; what the newer wrote outlives the older."""
    webhooks, bookings = WebhookLoad(machine, senders=1, most_unrecorded=_MOST_WEBHOOKS), BookingLoad(machine)

    def next_of(name: str, release: str) -> None:
        before = webhooks.answers[202]
        roll(machine, project, name, release)
        wait_until(lambda: webhooks.answers[202] > before + 50, what="webhooks are accepted")

    webhooks.start()
    bookings.start()
    try:
        wait_until(lambda: len(records(machine, bookings)) > _PAUSED, what="bookings")
        next_of("worker", NEW)
        wait_for_both(machine, bookings)
        paused = pause_some(machine, bookings)
        for name in ("web", "worker2", "beat", "web2"):
            next_of(name, NEW)
        for name in ("web2", "beat", "worker2"):
            next_of(name, OLD)
        wait_for_both(machine, bookings)
        paused += pause_some(machine, bookings, but=paused)
        assert len(paused) == 2 * _PAUSED
        wait_for_ready(machine, bookings, paused)
        for name in ("worker", "web"):
            next_of(name, OLD)
    finally:
        bookings.stop()
        webhooks.stop()
    assert set(webhooks.answers) == {202}
    assert webhooks.answers[202] > 500
    wait_for_ready(machine, bookings, bookings.published)
    assert wait_for_all(webhooks, machine, within=60) == []

    scribed = {key for key, it in records(machine, bookings).items() if "scribed" in it}
    assert len(scribed) > 20
    bookings.change_all()
    wait_for_ready(machine, bookings, bookings.published, revision=1)
    after = records(machine, bookings)
    for key in scribed:
        assert not newest_by_newer(after[key]), f"{key} wasn't written by the older version"
        assert after[key]["schema"] == NEWER_BOOKING
        (door,) = after[key]["doors"]
        assert (door.get("floor"), (door["code"] or {}).get("keycard")) == ("7", "blue"), key
    assert {it["schema"] for key, it in after.items() if key not in scribed} <= {versions.BOOKING}

    codes = machine.seam("GET", "/sandbox/access_codes")["access_codes"]
    made = Counter(code["name"].split(" | ")[0] for code in codes)
    assert {key: made[key] for key in bookings.published} == dict.fromkeys(bookings.published, 1)
    with machine.redis() as redis:
        assert redis.xlen(redis_keys.PARKED) == 0
        assert redis.xlen(OPS_STREAM) == 0
    log = machine.logs()
    for happened in ("task.given_back", "work.left_to_newer"):
        assert f'"{happened}"' in log, f"{happened}: this test showed less than it should"
    for wrong in ("step.crashed", "due.given_up", "entry.given_up", "due.unreadable", "Traceback"):
        assert wrong not in log, wrong
    print(f"{webhooks.answers[202]} webhooks, {len(bookings.published)} bookings, {len(scribed)} by the newer version")


def test_tasks_that_nobody_knows_any_more_delay_nothing_and_go_away(machine: Machine) -> None:
    """After a rollback there may be very many. Each is given back for a minute at most, and other work goes on."""
    name = f"of.a.version.{uuid4().hex}"
    app = Celery(broker=machine.run()["redis_url"], set_as_current=False)
    app.conf.task_default_queue = QUEUE
    app.send_task(name, ("last",), headers={RETURNS: MOST_RETURNS})
    for number in range(_UNKNOWN):
        app.send_task(name, (number,))
    app.close()
    booking_id = machine.publish(device_ids=[machine.add_door(("16:00", "10:00"))], **fitting_stay())

    def told() -> Counter[tuple[int, str]]:
        parsed = (json.loads(line) for line in machine.logs().splitlines() if name in line and line.startswith("{"))
        return Counter((line["returns"], line["event"]) for line in parsed)

    machine.wait_for(booking_id, "ready")
    # A worker that is ended meanwhile loses those that wait in it: their work is in a stream.
    wait_until(lambda: told()[2, "task.given_back"] > _UNKNOWN // 2, within=30, what="they come back twice")
    assert told()[MOST_RETURNS, "task.unknown"] == 1
    if PATIENCE == 1:
        assert "process.stalled" not in machine.logs()
