"""The booking ledger: each booking's record and history, found again by id, by time and by its access codes.

Order of writes, so that a kill at any line leaves nothing behind: first every door that changes gets a place in the
due-set (at most a lease from now), then the indexes, then the record is written over the version that was read; all in
one round trip. Whoever
has taken a door as far as it goes puts it at its exact time with `set_due_time`; whoever is killed before that has lost
nothing, because the door comes back when the lease runs out.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import TypeAdapter
from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.contracts import is_id
from shared.domain import lifecycle
from shared.domain.code_story import story_of
from shared.domain.records import Booking, Change, HistoryEntry
from shared.domain.stay_times import LONGEST_DOUBT, last_check_out, surely_over_at
from shared.ledger.booking_indexes import codes_of, index_arrival, index_door
from shared.ledger.due import DueSet, door_item
from shared.ledger.records import MOST_LINES, Conflict, RecordStore

_HISTORY: Final = TypeAdapter(HistoryEntry)
# Two workers that write one booking at once collide once or twice; more means that something is wrong.
_MOST_CONFLICTS: Final = 50
_PAGE: Final = 500
# Stands in the due-set where a door's key does, for what a booking has still to tell: its doors may have nothing to do.
_OUTBOX: Final = ""
# How long a booking is found by its check-in after that has passed.
_ARRIVED_FOR: Final = timedelta(days=2)
# The story of one code; more lines than these are a flood.
_MOST_EVENTS: Final = 500

Transition = Callable[[Booking], Change]


class UnknownBooking(LookupError):
    """The ledger has no booking of this id."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an access code is: a booking's, for the door of this key."""

    booking_id: str
    door_key: str


class BookingLedger:
    """Bookings in Redis. Every write goes through `update` or `create_or_update`, and is atomic for its booking."""

    def __init__(self, redis: Redis, *, due: DueSet, clock: Clock, retention: timedelta) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._retention = retention
        self._records = RecordStore(redis, Booking, exclude=frozenset({"version"}))

    def get(self, booking_id: str) -> Booking:
        """Return the booking. Raises UnknownBooking, and OfNewerVersion where only a newer process can read it."""
        booking = self._load(booking_id)
        if booking is None:
            raise UnknownBooking(booking_id)
        return booking

    def update(self, seen: Booking, transition: Transition) -> Booking:
        """Apply a pure transition to the booking as it stands now, and return what was written.

        It is tried on the booking as it was last `seen` first: if nobody wrote since, that saves reading it. Otherwise
        the transition is repeated on the newer record; what it raises goes through, and nothing is written. Raises
        UnknownBooking where the ledger has forgotten it.
        """

        def of_existing(booking: Booking | None) -> Change:
            if booking is None:
                raise UnknownBooking(seen.booking_id)
            return transition(booking)

        return self._change(seen.booking_id, seen, of_existing)

    def create_or_update(self, booking_id: str, transition: Callable[[Booking | None], Change]) -> Booking:
        """Like `update`, for a booking that may not exist yet."""
        return self._change(booking_id, self._load(booking_id), transition)

    def _change(
        self, booking_id: str, before: Booking | None, transition: Callable[[Booking | None], Change]
    ) -> Booking:
        for _ in range(_MOST_CONFLICTS):
            change = transition(before)
            if change.booking is before:
                return change.booking
            try:
                return self._write(before, change)
            except Conflict:
                before = self._load(booking_id)
        raise Conflict(booking_id)

    def _load(self, booking_id: str) -> Booking | None:
        booking, version = self._records.load(redis_keys.booking_record(booking_id))
        return replace(booking, version=version) if booking is not None else None

    def _write(self, before: Booking | None, change: Change) -> Booking:
        booking, now = change.booking, self._clock()
        doors_before = before.doors if before else ()
        changed = [door for door in booking.doors if door not in doors_before]
        expires_at = self._expiry(booking)

        def net_and_indexes(pipeline: Pipeline) -> None:
            # Written even if the record then isn't: a look too many, and facts that hold whoever writes them down.
            keys = [door.key for door in changed] + ([_OUTBOX] if booking.outbox else [])
            self._due.hold((door_item(booking.booking_id, key) for key in keys), now, pipeline=pipeline)
            if before is None or before.stay != booking.stay:
                pipeline.zadd(redis_keys.BOOKINGS, {booking.booking_id: expires_at.timestamp()})
            index_arrival(pipeline, before, booking)
            for door in changed:
                index_door(pipeline, before, booking, door, expires_at)

        following = self._records.save(
            redis_keys.booking_record(booking.booking_id),
            booking,
            version=before.version if before else 0,
            expires_at=expires_at,
            history_key=redis_keys.booking_history(booking.booking_id),
            history=[_HISTORY.dump_json(entry, exclude_defaults=True).decode() for entry in change.history],
            together_with=net_and_indexes,
        )
        return replace(booking, version=following)

    def set_due_time(self, booking_id: str, door_key: str, *, seen: Booking | None = None) -> None:
        """Put a door at the time its record names; one that isn't there any more leaves the due-set.

        `seen` is the booking as it was read or written last, if it was. A slower writer could overwrite the time of a
        faster one with an older one; so the version is read with the write, and if the record has moved on, its newer
        time is set instead.
        """
        booking = seen or self._load(booking_id)
        while self._put(booking_id, door_key, booking) != (booking.version if booking else 0):
            booking = self._load(booking_id)

    def _put(self, booking_id: str, door_key: str, booking: Booking | None) -> int:
        """Set the times that `booking` names, and return the version that the record had then (0: none)."""
        doors = booking.doors if booking else ()
        due_at = next((door.due_at for door in doors if door.key == door_key), None)
        times = [(door_item(booking_id, door_key), due_at)]
        if booking is None or not booking.outbox:
            times.append((door_item(booking_id, _OUTBOX), None))
        pipeline = self._redis.pipeline(transaction=False)
        self._due.set(times, pipeline=pipeline)
        pipeline.hget(redis_keys.booking_record(booking_id), "version")
        return int(pipeline.execute()[-1] or 0)

    def of_door(self, device_id: str) -> list[Booking]:
        """Return every booking on the door that is kept, but for those that only a newer process can read."""
        return self.of_doors([device_id])

    def of_doors(self, device_ids: Iterable[str]) -> list[Booking]:
        """Return every booking on these doors that is kept, each once.

        Those that only a newer process can read are left out.
        Two round trips for each few hundred doors and bookings.
        """
        now = self._clock().timestamp()
        ids: dict[str, None] = {}
        for names in _in_pages(device_ids):
            pipeline = self._redis.pipeline(transaction=False)
            for name in names:
                key = redis_keys.door_bookings(name)
                pipeline.zremrangebyscore(key, "-inf", now)
                pipeline.zrange(key, 0, -1)
            ids |= {str(each): None for found in pipeline.execute()[1::2] for each in found}
        return [
            booking
            for names in _in_pages(ids)
            for booking in self._records.load_many(
                [redis_keys.booking_record(each) for each in names], passes_over_newer=True
            )
            if booking is not None
        ]

    def owner_of(self, access_code_ids: list[str]) -> list[Owner | None]:
        """Return whose each code is, in their order; None for codes that are not ours."""
        if not access_code_ids:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for access_code_id in access_code_ids:
            pipeline.get(redis_keys.code_owner(access_code_id))
        return [Owner(*json.loads(text)) if text else None for text in pipeline.execute()]

    def record_events(self, events: list[tuple[str, str]]) -> None:
        """Append (access_code_id, event JSON) pairs to the stories of their codes.

        A story lives as long as its booking; that of a code of no booking (not ours, or not recorded yet) three days.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for access_code_id, event in events:
            key = redis_keys.code_events(access_code_id)
            pipeline.rpush(key, event)
            pipeline.ltrim(key, -_MOST_EVENTS, -1)
            pipeline.pexpiretime(redis_keys.code_owner(access_code_id))
        expiries = pipeline.execute()[2::3]
        for (access_code_id, _), expiry in zip(events, expiries, strict=True):
            key = redis_keys.code_events(access_code_id)
            # The server answers -2 where there is no such key: nobody's code.
            if expiry > 0:
                pipeline.pexpireat(key, expiry)
            else:
                pipeline.expire(key, redis_keys.UNOWNED_EVENTS_FOR)
        pipeline.execute()

    def note(self, booking_id: str, entry: HistoryEntry) -> None:
        """Add a line to the booking's story that changes nothing else."""
        key = redis_keys.booking_history(booking_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.rpush(key, _HISTORY.dump_json(entry, exclude_defaults=True).decode())
        pipeline.ltrim(key, -MOST_LINES, -1)
        pipeline.expire(key, self._retention, nx=True)
        pipeline.execute()

    def history(self, booking_id: str) -> list[HistoryEntry]:
        """Return the booking's story, oldest first, with the events of every code it ever had woven in by time."""
        booking = self.get(booking_id)
        entries = self._lines(booking_id)
        devices = _devices_of_codes(booking, entries)
        pipeline = self._redis.pipeline(transaction=False)
        for access_code_id in devices:
            pipeline.lrange(redis_keys.code_events(access_code_id), 0, -1)
        for device_id, events in zip(devices.values(), pipeline.execute(), strict=True):
            story = story_of(json.loads(event) for event in events)
            entries += [replace(entry, device_id=device_id) for entry in story]
        return sorted(entries, key=lambda entry: entry.at)

    def _lines(self, booking_id: str) -> list[HistoryEntry]:
        lines = cast(Any, self._redis.lrange(redis_keys.booking_history(booking_id), 0, -1))
        return [_HISTORY.validate_json(line) for line in lines]

    def forget(self, booking: Booking, key: str) -> Booking:
        """Take the personal parts out of a booking whose stay is long over: its label, and the events of its codes.

        Idempotent; a kill in between leaves it due.
        """
        codes = _devices_of_codes(booking, self._lines(booking.booking_id))
        if codes:
            self._redis.delete(*map(redis_keys.code_events, codes))
        now = self._clock()
        return self.update(booking, lambda it: lifecycle.forgets(it, key, now=now))

    def arriving(self, since: datetime, until: datetime) -> list[Booking]:
        """Return the bookings whose check-in may lie in this time, and some that come earlier; the nearest first."""
        # They are found by the earliest moment at which somebody may come; of some that is all that is known.
        earliest, latest = (since - LONGEST_DOUBT).timestamp(), until.timestamp()
        ids = cast(Any, self._redis.zrange(redis_keys.ARRIVALS, earliest, latest, byscore=True))
        found = self._records.load_many([redis_keys.booking_record(str(each)) for each in ids], passes_over_newer=True)
        return [booking for booking in found if booking is not None]

    def doors_with_bookings(self) -> list[str]:
        """Return the doors that have a booking whose check-out is still to come; drops the others from the index.

        Arrivals of the day before yesterday and earlier are dropped from theirs too.
        """
        now = self._clock()
        self._redis.zremrangebyscore(redis_keys.DOORS, "-inf", now.timestamp())
        self._redis.zremrangebyscore(redis_keys.ARRIVALS, "-inf", (now - _ARRIVED_FOR).timestamp())
        return [str(each) for each in cast(Any, self._redis.zrange(redis_keys.DOORS, 0, -1))]

    def having_bookings(self, device_ids: Iterable[str]) -> list[str]:
        """Return those of the doors that have a booking whose check-out is still to come, in their order."""
        names = list(dict.fromkeys(device_ids))
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.zscore(redis_keys.DOORS, name)
        now = self._clock().timestamp()
        return [name for name, over_at in zip(names, pipeline.execute(), strict=True) if over_at and over_at > now]

    def all(self) -> Iterator[Booking]:
        """Yield every booking, those that are kept longest last; expired ones are dropped from the index."""
        self._redis.zremrangebyscore(redis_keys.BOOKINGS, "-inf", self._clock().timestamp())
        start = 0
        while True:
            ids = self._redis.zrange(redis_keys.BOOKINGS, start, start + _PAGE - 1)
            if not ids:
                return
            start += len(ids)
            keys = [redis_keys.booking_record(str(each)) for each in ids]
            records = self._records.load_many(keys, passes_over_newer=True)
            yield from (record for record in records if record is not None)

    def forget_at(self, booking: Booking) -> datetime:
        """Return when the personal parts of a booking go, if its stay ends as it is booked now."""
        now = self._clock()
        return max(last_check_out(booking) or now, now) + self._retention

    def _expiry(self, booking: Booking) -> datetime:
        """Return when everything of a booking goes: the same while its stay is, for record and indexes alike."""
        now = self._clock()
        over_at = surely_over_at(booking.stay) if booking.stay is not None else now
        return max(over_at, now) + 2 * self._retention


def _in_pages(names: Iterable[str]) -> Iterator[list[str]]:
    listed = list(names)
    return (listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE))


def _devices_of_codes(booking: Booking, story: Iterable[HistoryEntry]) -> dict[str, str | None]:
    """Return the door of every code that the booking has, or ever had: of a code that is gone only the story tells."""
    had = {
        entry.facts["access_code_id"]: entry.device_id for entry in story if is_id(entry.facts.get("access_code_id"))
    }
    return had | {code.access_code_id: door.device_id for door in booking.doors for code in codes_of(door)}
