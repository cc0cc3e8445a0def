"""Everything that the stateful test moves: two workers, a data server, Seam, time, messages; and the invariants."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.booking import transitions
from shared.domain.booking.record import Booking
from shared.ledger.booking_indexes import codes_of
from shared.ledger.bookings import UnknownBooking
from shared.ledger.due_set import door_item
from shared.seam_event_redaction import redact_event
from tests.shared.stories import contradicts_itself
from tests.worker.stateful_model import Message, Model, Span, Stay
from tests.worker.stateful_seam import FakeSeam, JsonObject
from tests.worker.stateful_things import Code, FakeDoor
from tests.worker.stateful_workers import START, Clock, Worker

DEVICES: Final = (
    "d0000000-0000-0000-0000-000000000001",
    "d0000000-0000-0000-0000-000000000002",
    "d0000000-0000-0000-0000-000000000003",
)
LEASE: Final = timedelta(seconds=60)
# Longer than any worker caches a door.
_FORGOTTEN_AFTER: Final = timedelta(seconds=30)
_ROUNDS: Final = 400
# Longer than the longest pause between tries; only looks at codes without problems have longer ones.
LONG: Final = timedelta(minutes=16)
SHORT: Final = timedelta(minutes=2)


class Stage:
    """What all examples share because it is slow to make: the connections of two workers and of the test."""

    def __init__(self, redis: Redis, redis_url: str) -> None:
        self.redis = redis
        self.clock = Clock()
        self.workers = (Worker(redis_url, self.clock), Worker(redis_url, self.clock))
        onlooker = Worker(redis_url, self.clock)
        onlooker.start()
        self.ledger, self.alerts = onlooker.ports.ledger, onlooker.ports.alerts


class World:
    """One example; it starts with an empty data server."""

    def __init__(self, stage: Stage) -> None:
        self.redis, self.clock, self.workers = stage.redis, stage.clock, stage.workers
        self.ledger, self.alerts = stage.ledger, stage.alerts
        self.redis.flushall()
        self.clock.now = START
        zones = ("America/Los_Angeles", "America/Los_Angeles", "UTC")
        self.doors = {each: FakeDoor(each, zone) for each, zone in zip(DEVICES, zones, strict=True)}
        self.seam = FakeSeam(self.clock, self.doors, self._asked)
        self.model = Model(self.doors)
        self.messages: list[Message] = []
        self.entries: dict[str, Message] = {}
        self.untold = 0
        self.is_emptied = False
        self.vanished: set[str] = set()
        self.wrong: list[str] = []
        for worker in self.workers:
            worker.seam, worker.leaks = self.seam, []
            worker.start()

    # Steps.

    def publish(
        self,
        booking_id: str,
        stay: Stay,
        devices: Iterable[str] = DEVICES[:1],
        *,
        revision: int = 0,
        kind: str = "created",
        label: str | None = None,
    ) -> str:
        """Send a booking message; return its entry's id."""
        message = Message(len(self.messages), booking_id, revision, kind, stay, tuple(devices), label)
        self.messages.append(message)
        return self.send(message)

    def send(self, message: Message) -> str:
        """Send a message, which may be a repeat; return its entry's id."""
        body: JsonObject = {"booking_id": message.booking_id, "revision": message.revision}
        if message.kind != "cancelled":
            check_in, check_out = message.stay.written()
            body |= {"device_ids": list(message.devices), "check_in": check_in, "check_out": check_out}
            body["label"] = message.label
        envelope = {"specversion": "1.0", "id": str(message.number), "source": "/pms", "data": body}
        text = json.dumps({**envelope, "type": f"booking.{message.kind}"})
        entry_id = str(self.redis.xadd("booking-created", {"message": text}))
        self.entries[entry_id] = message
        return entry_id

    def apply(self, entry_id: str, who: int = 0, kill_at: int | None = None, *, advances: bool = True) -> None:
        """Do what the task for an entry does, until it is killed; `advances`: its doors, too."""
        message, worker = self.entries[entry_id], self.workers[who]
        version = self._version(message.booking_id)
        applied: list[Booking] = []

        def apply() -> None:
            booking = worker.handlers.apply_booking(entry_id)
            applied.extend([booking] if booking else [])

        is_killed = worker.run(apply, kill_at=kill_at)
        is_written = self._version(message.booking_id) != version
        if is_written or not is_killed:
            is_news = self.model.applies(message)
            if is_news != is_written:
                self.wrong.append(f"{message}: news {is_news}, written {is_written}")
        if not self.redis.xrange("booking-created", entry_id, entry_id):
            del self.entries[entry_id]
        for booking in applied if advances else ():
            for device_id in [door.device_id for door in booking.doors] or [""]:
                self.advance(booking.booking_id, device_id, who)

    def advance(
        self, booking_id: str, device_id: str, who: int = 0, kill_at: int | None = None, *, prompted: bool = False
    ) -> None:
        """Do what the task for a door does."""
        worker = self.workers[who]
        worker.run(lambda: worker.handlers.advance_door(booking_id, device_id, prompted=prompted), kill_at=kill_at)

    def sweep(self, who: int = 0, kill_at: int | None = None) -> int:
        """Do everything that is due; after a kill the rest is lost. Return how much was due."""
        worker = self.workers[who]
        items = [item for item, _ in worker.handlers.due.claim(self.clock(), 500)]

        def work() -> None:
            for item in items:
                if item.subject == "door":
                    worker.handlers.advance_door(*item.ids, prompted=True)
                else:
                    worker.handlers.deliver_alert(*item.ids)

        worker.run(work, kill_at=kill_at)
        return len(items)

    def record(self, events: list[JsonObject], who: int = 0, kill_at: int | None = None) -> None:
        """Deliver events, and do the looks that they prompt."""
        entries: list[JsonObject] = [{"event": json.dumps(redact_event(event))} for event in events]
        ids = [str(self.redis.xadd("seam-events", cast("Any", each))) for each in entries]
        worker = self.workers[who]
        while worker.run(lambda: worker.handlers.record_events(ids), kill_at=kill_at):
            kill_at = None
        looks, worker.looks = worker.looks, []
        for booking_id, device_id in looks:
            self.advance(booking_id, device_id, who, prompted=True)

    def move(self, by: timedelta) -> None:
        """Let time pass, for the workers and for Seam."""
        self.clock.now += by
        if by >= _FORGOTTEN_AFTER:
            # The data server's own clock can't be set: so remove what would have expired.
            self.redis.delete(*(redis_keys.door_device(each) for each in DEVICES))
            self.model.forgets_doors()
        self.seam.pass_time()

    def change_door(self, device_id: str, **fields: Any) -> None:
        """Change a door at Seam."""
        before = replace(self.doors[device_id])
        for name, value in fields.items():
            setattr(self.doors[device_id], name, value)
        self.model.remembers(before)

    def empty(self) -> None:
        """Let the data server lose everything, and forget which messages were applied.

        A worker only notices that if it knew the data server before. So nothing is under way at Seam at that moment.
        """
        self.seam.pass_time(all_of_it=True)
        self.redis.flushall()
        self.is_emptied = True
        self.entries.clear()
        self.model.bookings.clear()

    def delete(self, code: Code) -> None:
        """Let somebody delete a code at Seam."""
        code.deleted = True
        self.vanished.add(code.access_code_id)
        self.seam.tell("deleted", code)

    def retry(self, booking_id: str, who: int = 0, kill_at: int | None = None) -> None:
        """Do what `oracode bookings retry` does."""
        worker = self.workers[who]

        def work() -> None:
            ledger, now = worker.ports.ledger, self.clock()
            ledger.record(ledger.get(booking_id), lambda it: transitions.retry(it, now=now))

        worker.run(work, kill_at=kill_at)

    def held(self, work: Callable[[], Any], operation: str, meanwhile: Callable[[], Any], *, after: bool) -> None:
        """Let the first worker stop in the middle of a call while something else happens."""
        self.workers[0].run_held(work, operation, meanwhile, after=after)

    # What must always hold.

    def check(self) -> None:
        """Check what holds at every moment."""
        assert self.wrong == [], self.wrong
        assert self.seam.doubles == [], self.seam.doubles
        leaks = [leak for worker in self.workers for leak in worker.leaks]
        assert leaks == [], leaks
        due = dict(cast("Any", self.redis.zrange(redis_keys.DUE, 0, -1, withscores=True)))
        claims: Any = self.redis.hgetall(redis_keys.CLAIMS)
        for booking in self.ledger.all():
            keys = [door.device_id for door in booking.doors]
            assert len(set(keys)) == len(keys), booking
            for door in booking.doors:
                assert not contradicts_itself(door), door
                assert all(code.access_code_id in self.seam.codes for code in codes_of(door)), door
                if door.due_at is not None:
                    member = door_item(booking.booking_id, door.device_id).encoded()
                    # An item that kills each worker comes back later each time: `shared/ledger/claim_due.lua`.
                    lease = LEASE * 2 ** max(0, int(claims.get(member, 1)) - 1)
                    latest = max(door.due_at, self.clock() + lease)
                    at = due.get(member)
                    assert at is not None, f"nobody comes back for {booking.booking_id} on {door}"
                    assert at <= _milliseconds(latest), f"somebody comes back late for {booking.booking_id} on {door}"

    def rest(self, within: timedelta) -> None:
        """Let time pass in steps to the next due item, and do what is due."""
        until = self.clock() + within
        for _ in range(_ROUNDS):
            if self.sweep():
                # The due-set rounds times down to milliseconds.
                self.move(timedelta(milliseconds=1))
                continue
            following: Any = self.redis.zrange(redis_keys.DUE, 0, 0, withscores=True)
            wait = timedelta(milliseconds=following[0][1] - _milliseconds(self.clock())) if following else within
            if self.clock() + wait > until:
                return
            self.move(max(wait, timedelta(milliseconds=1)))
        due = self.redis.zrange(redis_keys.DUE, 0, 2, withscores=True)
        raise AssertionError(
            f"there is always something due at {_milliseconds(self.clock())}: {due}, {list(self.ledger.all())}"
        )

    def _asked(self, body: JsonObject) -> None:
        booking_id, device_id = body["name"].partition(" | ")[0], body["device_id"]
        window: Span = (datetime.fromisoformat(body["starts_at"]), datetime.fromisoformat(body["ends_at"]))
        wanted = self.model.bookings.get(booking_id)
        if not self.model.wants(booking_id, device_id) or wanted is None or window not in wanted.windows[device_id]:
            self.wrong.append(f"a code was asked for that nobody wants: {body}, but {wanted}")

    def _version(self, booking_id: str) -> int:
        try:
            return self.ledger.get(booking_id).version
        except UnknownBooking:
            return 0


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
