"""The worker without Celery: its use cases with a real data server and a Seam stand-in, run step by step."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier, Event
from typing import Any, TypeVar, cast
from uuid import uuid4

from pydantic import SecretStr
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.domain.alerting.arrivals import Arrival
from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.stay.stay import UnitRules
from shared.ledger.alerts import AlertLedger
from shared.ledger.arrivals import arrivals_between
from shared.ops_commands import COMMAND_FIELD, OpsCommand
from shared.parked import ParkedList
from shared.settings import Settings
from tests.sandbox.harness import API_KEY, Sandbox, in_days
from tests.shared.stories import MovableClock
from tests.support.waiting import wait_until
from worker.alerts.channel import Channel
from worker.assembly import build_handlers
from worker.ports import open_ports

T = TypeVar("T")
_MOST_ROUNDS = 60
# The worker opens a client to Seam for each thread, and closes it only when its process ends. So threads and workers
# are kept until the tests are over: otherwise their sockets would be collected during another test, and fail it.
_KEPT: list[object] = []
_THREADS = ThreadPoolExecutor(8)


def kept(it: T) -> T:
    """Return `it`, and keep it until the tests are over."""
    _KEPT.append(it)
    return it


def at_once(*works: Callable[[], object]) -> None:
    """Do up to eight things at the same moment, each in a thread of its own. Raises what any of them raises."""
    together = Barrier(len(works))

    def work(one: Callable[[], object]) -> None:
        together.wait(10)
        one()

    for done in [_THREADS.submit(work, one) for one in works]:
        done.result(60)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Repeat something in a thread that is kept, until the block is over. Raises what it raises."""
    over = Event()

    def again_and_again() -> None:
        while not over.wait(0.02):
            work()

    done = _THREADS.submit(again_and_again)
    try:
        yield
    finally:
        over.set()
        done.result(60)


class Machine:
    """One worker. Several may share a data server, as workers do."""

    def __init__(
        self,
        redis: Redis,
        redis_url: str,
        sandbox: Sandbox,
        *,
        channels: Sequence[Channel] = (),
        units: Mapping[str, UnitRules] | None = None,
        **fields: Any,
    ) -> None:
        known: dict[str, Any] = {
            "seam_api_key": SecretStr(API_KEY),
            "seam_endpoint": sandbox.url,
            "redis_url": SecretStr(redis_url),
            "seam_timeout": timedelta(seconds=2),
            "waiting_retry_every": timedelta(seconds=10),
            "door_cache_for": timedelta(seconds=1),
            "alert_group_window": timedelta(),
        }
        settings = Settings(**(known | fields))
        self.redis = redis
        self.sandbox = sandbox
        self.clock = MovableClock()
        self.looked: list[tuple[str, str]] = []
        ports = open_ports(settings, tuple(channels), self.clock)
        self.handlers = build_handlers(
            settings,
            ports,
            channels=tuple(channels),
            units=units if units is not None else {},
            look=lambda booking_id, device_id: self.looked.append((booking_id, device_id)),
            clock=self.clock,
        )
        kept(self.handlers)
        self.ledger = ports.ledger
        self.alerts: AlertLedger = ports.alerts
        self.parked: ParkedList = ports.parked
        self.work_for_newer_version = ports.work_for_newer_version
        self.issues = ports.issues
        self.outcome_queues = ports.outcome_queues
        self._numbers = count(1)

    def new_id(self) -> str:
        """Return a booking id that no other test uses: the sandbox is shared."""
        return f"BK-{uuid4().hex[:8]}-{next(self._numbers)}"

    def publish(self, booking_id: str, device_ids: Sequence[str], *, kind: str = "created", **fields: Any) -> str:
        """Append a booking message for a stay that fits the sandbox's usual slot; return the entry's id."""
        booking: dict[str, Any] = {"booking_id": booking_id}
        if kind != "cancelled":
            booking |= {
                "device_ids": list(device_ids),
                "check_in": in_days(2, "15:45:00"),
                "check_out": in_days(5, "10:15:00"),
            }
        envelope = {"id": str(uuid4()), "source": "/tests", "type": f"booking.{kind}", "data": booking | fields}
        return self.append(json.dumps({"specversion": "1.0", **envelope}))

    def append(self, message: str) -> str:
        """Append a message as it is; return the entry's id."""
        return str(self.redis.xadd("booking-created", {"message": message}))

    def run_commands(self) -> None:
        """Run every ops command in the stream."""
        for entry_id, _ in cast(Any, self.redis.xrange(OPS_STREAM)):
            self.handlers.run_ops_command(entry_id)

    def append_command(self, command: OpsCommand | str) -> str:
        """Append an ops command; return its entry's id."""
        text = command if isinstance(command, str) else command.encoded()
        return str(self.redis.xadd(OPS_STREAM, {COMMAND_FIELD: text}))

    def run_command(self, command: OpsCommand | str, *, times: int = 1) -> str:
        """Append an ops command and run it, more than once as after a kill; return its entry's id."""
        entry_id = self.append_command(command)
        for _ in range(times):
            self.handlers.run_ops_command(entry_id)
        return entry_id

    def apply_all(self) -> None:
        """Apply every message in the booking stream."""
        for entry_id, _ in cast(Any, self.redis.xrange("booking-created")):
            self.apply(entry_id)

    def apply(self, entry_id: str) -> Booking | None:
        """Do what the task for one entry does: apply it, then advance every door as far as possible."""
        applied = self.handlers.apply_booking(entry_id)
        if applied is None:
            return None
        for door in applied.doors or (BookedDoor(device_id=""),):
            self.handlers.advance_door(applied.booking_id, door.key)
        return self.ledger.get(applied.booking_id)

    def book(self, *device_ids: str, booking_id: str = "", **fields: Any) -> Booking:
        """Publish a booking and apply it."""
        applied = self.apply(self.publish(booking_id or self.new_id(), device_ids, **fields))
        assert applied is not None
        return applied

    def update(self, booking: Booking, revision: int, *device_ids: str, **fields: Any) -> Booking:
        """Publish a newer revision of a booking and apply it."""
        doors = device_ids or tuple(dict.fromkeys(door.device_id for door in booking.doors if door.wanted))
        return self.book(*doors, booking_id=booking.booking_id, kind="updated", revision=revision, **fields)

    def cancel(self, booking: Booking) -> Booking:
        """Publish the booking's cancellation and apply it."""
        return self.book(booking_id=booking.booking_id, kind="cancelled", revision=booking.revision)

    def sweep(self) -> None:
        """Do everything that is due, once."""
        for item, _ in self.handlers.due.claim(self.clock(), 500):
            match item.subject:
                case "door":
                    self.handlers.advance_door(*item.ids, prompted=True)
                case "alert":
                    self.handlers.deliver_alert(*item.ids)
                case "chore":
                    self.handlers.periodic_jobs(*item.ids)
                case "refresh":
                    self.handlers.refresh_door(*item.ids)
                case "outcome":
                    self.handlers.deliver_outcomes(*item.ids)
                case "account":
                    self.handlers.refresh_account(*item.ids)
                case "conflicts":
                    self.handlers.check_conflicts(*item.ids)
                case "removal":
                    self.handlers.check_removals(*item.ids)
                case other:
                    raise AssertionError(other)

    def until(self, booking: Booking, *states: str, every: timedelta = timedelta(seconds=5)) -> Booking:
        """Let time pass and sweep, until the booking is in one of these states."""
        for _ in range(_MOST_ROUNDS):
            now_it = self.ledger.get(booking.booking_id)
            if now_it.state in states:
                return now_it
            self._let_seam_work(booking.booking_id)
            self.clock.move(every)
            self.sweep()
        raise AssertionError(f"not {states} but {self.ledger.get(booking.booking_id)}")

    def _let_seam_work(self, booking_id: str) -> None:
        """Wait, in real time, until nothing is under way at Seam for a booking: its clock can't be set."""

        def is_quiet() -> bool:
            codes = self.sandbox.look("/sandbox/access_codes", name_prefix=booking_id)["access_codes"]
            return not any(code["phase"] in ("unset", "setting", "updating", "removing") for code in codes)

        wait_until(is_quiet, what="Seam")

    def arrivals(self, since: datetime, until: datetime) -> list[Arrival]:
        """Return the arrivals in this time."""
        return arrivals_between(since, until, now=since, ledger=self.ledger, alerts=self.alerts, issues=self.issues)

    def made(self, device_id: str) -> list[Any]:
        """Return every code that was ever made on the door, also those that Seam doesn't list."""
        found: list[Any] = self.sandbox.look("/sandbox/access_codes", device_id=device_id)["access_codes"]
        return found

    def creates(self, device_id: str) -> int:
        """Return how many creates were sent for the door."""
        asked = self.sandbox.look("/sandbox/requests", device_id=device_id, path="/access_codes/create")
        return len(asked["requests"])

    def story_lines(self, booking_id: str, what: str) -> list[str]:
        """Return the texts of the lines of this kind in the booking's story."""
        return [entry.text for entry in self.ledger.history(booking_id) if entry.what == what]

    def outcomes(self, booking_id: str) -> list[dict[str, Any]]:
        """Return the outcomes of a booking."""
        entries: Any = self.redis.xrange("access-code-outcomes")
        told = [json.loads(fields["message"]) for _, fields in entries]
        return [each for each in told if each["subject"] == booking_id]

    def outcome_types(self, booking_id: str) -> list[str]:
        """Return the types of the outcomes, without their prefix."""
        return [each["type"].removeprefix("access-code.") for each in self.outcomes(booking_id)]
