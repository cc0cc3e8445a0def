"""Reads the booking ledger: bookings by id, by door, by code and by time, and a booking's story. Writes no record.

Records that only a newer process can read are left out of every list. `get` raises NewerVersionNeeded for one.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import TypeAdapter
from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.contracts import is_id
from shared.domain.booking.record import Booking, HistoryEntry, State
from shared.domain.code.story import story_of
from shared.domain.stay.instants import LONGEST_DOUBT
from shared.ledger.booking_indexes import codes_of, shed_expired
from shared.ledger.records import RecordStore, Stored

HISTORY: Final = TypeAdapter(HistoryEntry)
_PAGE: Final = 500
# How long after its check-in a booking is still found by it.
_ARRIVED_FOR: Final = timedelta(days=2)
_UNFINISHED: Final = (State.RECEIVED, State.SCHEDULED, State.WAITING, State.CREATING, State.FAILED)


class UnknownBooking(LookupError):
    """The ledger has no booking with this id."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The booking, and the key of its door, that an access code belongs to."""

    booking_id: str
    door_key: str


class BookingReader:
    """Reads bookings from Redis."""

    def __init__(self, redis: Redis, *, clock: Clock, remembered: int = 0) -> None:
        """Read from `redis`; `remembered` is how many records stay parsed (`shared.ledger.records`)."""
        self._redis = redis
        self._clock = clock
        self._records = RecordStore(
            redis, Booking, exclude=frozenset({"version"}), is_promised=True, remembered=remembered
        )

    def get(self, booking_id: str) -> Booking:
        """Return the booking. Raises UnknownBooking; NewerVersionNeeded if only a newer process can read it."""
        booking = booking_in(self._records.load(redis_keys.booking_record(booking_id)))
        if booking is None:
            raise UnknownBooking(booking_id)
        return booking

    def get_many(self, ids: Iterable[str]) -> dict[str, Booking]:
        """Return the bookings of these ids that exist, without those that only a newer process can read."""
        return {booking.booking_id: booking for booking in self._readable(ids)}

    def of_door(self, device_id: str) -> list[Booking]:
        """Return every stored booking on the door, without those that only a newer process can read."""
        return self.of_doors([device_id])

    def of_doors(self, device_ids: Iterable[str]) -> list[Booking]:
        """Return every stored booking on these doors, each once.

        Those that only a newer process can read are left out.
        It takes two round trips for every few hundred doors and bookings.
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
        return list(self._readable(ids))

    def owner_of(self, access_code_ids: list[str]) -> list[Owner | None]:
        """Return the owner of each code, in the order of the ids; None for a code that belongs to no booking here."""
        if not access_code_ids:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for access_code_id in access_code_ids:
            pipeline.get(redis_keys.code_owner(access_code_id))
        return [Owner(*json.loads(text)) if text else None for text in pipeline.execute()]

    def history(self, booking_id: str) -> list[HistoryEntry]:
        """Return the booking's story, oldest first, with the events of every code that it ever had.

        Raises UnknownBooking and NewerVersionNeeded.
        """
        return self.history_of(self.get(booking_id))

    def history_of(self, booking: Booking) -> list[HistoryEntry]:
        """Like `history`, for a booking that the caller has just read."""
        entries = self._lines(booking.booking_id)
        devices = devices_of_codes(booking, entries)
        pipeline = self._redis.pipeline(transaction=False)
        for access_code_id in devices:
            pipeline.lrange(redis_keys.code_events(access_code_id), 0, -1)
        for device_id, events in zip(devices.values(), pipeline.execute(), strict=True):
            story = story_of(json.loads(event) for event in events)
            entries += [replace(entry, device_id=device_id) for entry in story]
        return sorted(entries, key=lambda entry: entry.at)

    def _lines(self, booking_id: str) -> list[HistoryEntry]:
        lines = cast(Any, self._redis.lrange(redis_keys.booking_history(booking_id), 0, -1))
        return [HISTORY.validate_json(line) for line in lines]

    def arriving(self, since: datetime, until: datetime) -> list[Booking]:
        """Return the bookings with a check-in that may be from `since` to `until`, the nearest first.

        Some come earlier: before a door was read its time zone isn't known, and so the exact check-in isn't.
        """
        # The index holds the earliest moment that the check-in may be. Of some bookings nothing more is known.
        earliest, latest = (since - LONGEST_DOUBT).timestamp(), until.timestamp()
        ids = cast(Any, self._redis.zrange(redis_keys.ARRIVALS, earliest, latest, byscore=True))
        return list(self._readable(map(str, ids)))

    def arriving_after(self, moment: datetime, *, offset: int, most: int) -> list[Booking]:
        """Return up to `most` bookings whose earliest check-in is after this moment, the nearest first.

        The first `offset` are left out. Nothing comes back where no later booking is left.
        """
        start = f"({moment.timestamp()!r}"
        ids = cast(Any, self._redis.zrange(redis_keys.ARRIVALS, start, "+inf", byscore=True, offset=offset, num=most))
        return list(self._readable(map(str, ids)))

    def unfinished_since(self, before: datetime, *, most: int) -> list[Booking]:
        """Return unfinished bookings with a check-in before this moment, the latest check-in first.

        Up to `most` of each state. Left out are `issued` and `ready`, which have their codes, and states that are over.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for state in _UNFINISHED:
            key = redis_keys.bookings_in_state(state)
            pipeline.zrange(key, before.timestamp(), "(0", byscore=True, desc=True, offset=0, num=most)
        ids = dict.fromkeys(str(each) for found in pipeline.execute() for each in found)
        return list(self._readable(ids))

    def doors_with_bookings(self) -> list[str]:
        """Return the doors that have a booking with a check-out still to come; drop the others from the index.

        Arrivals of the day before yesterday and earlier are dropped from the index of arrivals too. Idempotent.
        """
        now = self._clock()
        shed_expired(self._redis, now)
        self._redis.zremrangebyscore(redis_keys.DOORS, "-inf", now.timestamp())
        self._redis.zremrangebyscore(redis_keys.ARRIVALS, "-inf", (now - _ARRIVED_FOR).timestamp())
        return [str(each) for each in cast(Any, self._redis.zrange(redis_keys.DOORS, 0, -1))]

    def doors_to_come(self) -> list[str]:
        """Like `doors_with_bookings`, but only reads: nothing is dropped from an index."""
        now = self._clock().timestamp()
        return [
            str(each) for each in cast(Any, self._redis.zrange(redis_keys.DOORS, f"({now!r}", "+inf", byscore=True))
        ]

    def having_bookings(self, device_ids: Iterable[str]) -> list[str]:
        """Return those of the doors that have a booking with a check-out still to come, in the given order."""
        names = list(dict.fromkeys(device_ids))
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.zscore(redis_keys.DOORS, name)
        now = self._clock().timestamp()
        return [name for name, over_at in zip(names, pipeline.execute(), strict=True) if over_at and over_at > now]

    def all(self) -> Iterator[Booking]:
        """Yield every booking, the one that expires first first. Expired bookings are dropped from the indexes."""
        shed_expired(self._redis, self._clock())
        start = 0
        while True:
            ids = self._redis.zrange(redis_keys.BOOKINGS, start, start + _PAGE - 1)
            if not ids:
                return
            start += len(ids)
            yield from self._readable(map(str, ids))

    def ids(self) -> Iterator[str]:
        """Yield the id of every stored booking, the one that expires last first."""
        start = 0
        while ids := cast(Any, self._redis.zrange(redis_keys.BOOKINGS, start, start + _PAGE - 1, desc=True)):
            yield from map(str, ids)
            start += len(ids)

    def _readable(self, ids: Iterable[str]) -> Iterator[Booking]:
        """Yield the bookings of these ids in their order, those that exist and that this version can read.

        It takes a round trip for every few hundred.
        """
        for page in _in_pages(ids):
            found = self._records.load_many([redis_keys.booking_record(each) for each in page], passes_over_newer=True)
            yield from (booking for booking in found if booking is not None)


def _in_pages(names: Iterable[str]) -> Iterator[list[str]]:
    listed = list(names)
    return (listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE))


def booking_in(stored: Stored[Booking]) -> Booking | None:
    """Return the booking with the version of its record; None if there is no record."""
    record = stored.record
    if record is None or record.version == stored.version:
        return record
    return replace(record, version=stored.version)


def devices_of_codes(booking: Booking, story: Iterable[HistoryEntry]) -> dict[str, str | None]:
    """Return the device_id of every code that the booking has, or ever had; for codes that are gone, from the story."""
    had = {
        entry.facts["access_code_id"]: entry.device_id for entry in story if is_id(entry.facts.get("access_code_id"))
    }
    return had | {code.access_code_id: door.device_id for door in booking.doors for code in codes_of(door)}
