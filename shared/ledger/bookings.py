"""Writes the booking ledger: each booking's record and history. `booking_reader` finds and reads them.

There are two ways to write a booking. `transition` is for decisions about one door: they hold only while the door is as
it was read, so the write is refused if the door has changed. `record` is for facts that hold in any case: a message, a
code that exists, an order. Both write the record, its history, its indexes and its doors' times in the due-set in one
atomic step, and then publish the booking's outbox.

If the process is killed at any line, nothing is lost: when the lease ends, the due-set brings back a door that was
being worked on, and a booking with an outbox that isn't empty.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import Booking, Change, HistoryEntry, Notice
from shared.domain.booking.retention import deleted_at, erased_at
from shared.domain.booking.seen_door import SeenDoor
from shared.ledger.booking_due_times import OUTBOX, due_times
from shared.ledger.booking_indexes import all_places, doors_to_compare, index_arrival, index_door, places_of
from shared.ledger.booking_reader import (
    HISTORY,
    BookingReader,
    Owner,
    UnknownBooking,
    booking_in,
    devices_of_codes,
)
from shared.ledger.due_set import DueSet, conflicts_item, door_item
from shared.ledger.records import MOST_LINES, Stored, Write

# How long after a change a door's bookings are compared. Several changes within that time are compared once.
_COMPARED_AFTER: Final = timedelta(seconds=2)
# Events kept of one code. More than these are a flood.
_MOST_EVENTS: Final = 500

__all__ = ["BookingLedger", "Outbox", "Owner", "Transition", "UnknownBooking"]

Transition = Callable[[Booking], Change]


class Outbox(Protocol):
    """Takes a booking's notices: outcomes for the booking system, alerts for people."""

    def publish(self, booking_id: str, notice: Notice) -> None:
        """Hand over one notice. Idempotent: the ledger may hand over the same notice twice."""


class BookingLedger(BookingReader):
    """Bookings in Redis. `transition` and `record` are the only ways to write one; each is atomic for its booking."""

    def __init__(
        self,
        redis: Redis,
        *,
        due: DueSet,
        clock: Clock,
        retention: timedelta,
        outbox: Outbox | None = None,
        remembered: int = 0,
    ) -> None:
        """Without an `outbox` nothing is published here: the booking's outbox becomes due at once, for the worker.

        `retention` is how long after check-out personal data is kept. `remembered` is how many records stay parsed
        (`shared.ledger.records`).
        """
        super().__init__(redis, clock=clock, remembered=remembered)
        self._due = due
        self._outbox = outbox
        self._retention = retention

    def transition(self, seen: SeenDoor, transition: Transition) -> Booking:
        """Change one door by a pure transition, if the door is still as it was `seen`; return the changed booking.

        Atomic. Raises StaleRead if the door, or the booking's revision, has changed since: then the caller must read
        and decide again. Raises UnknownBooking if the ledger has no such booking any more. An error of the transition
        is passed on, and nothing is written.

        The caller goes on working on this door, so the due-set holds it for at least one lease. Call `release` at the
        end.
        """
        return self.record(seen.booking, lambda it: transition(transitions.as_seen(it, seen)), in_hand=seen.key)

    def record(self, seen: Booking, transition: Transition, *, in_hand: str | None = None) -> Booking:
        """Write a fact, even if the booking has changed since it was `seen`; return the changed booking. Atomic.

        The transition is applied to the booking as it is now, and must be right for any state. Raises UnknownBooking if
        the ledger has no such booking any more. An error of the transition is passed on, and nothing is written.
        `in_hand` is the key of the door that the caller goes on working on, as in `transition`.
        """

        def of_existing(booking: Booking | None) -> Change:
            if booking is None:
                raise UnknownBooking(seen.booking_id)
            return transition(booking)

        return self._change(seen.booking_id, Stored(seen, seen.version), of_existing, lambda key: key == in_hand)

    def reindex(self, seen: Booking, *, words: Iterable[str] = (), reasons: Iterable[str] = ()) -> Booking:
        """Write a booking unchanged, with its right places in the indexes: it has none yet, or wrong ones. Idempotent.

        `words` and `reasons` are those under which the indexes may have it: it leaves those that aren't its own.
        Raises UnknownBooking if the ledger has no such booking any more.
        """

        def again(stored: Stored[Booking]) -> Write[Booking]:
            booking = booking_in(stored)
            if booking is None:
                raise UnknownBooking(seen.booking_id)
            expires_at = self._expiry(booking)

            def indexes(pipeline: Pipeline) -> None:
                pipeline.zadd(redis_keys.BOOKINGS, {booking.booking_id: expires_at.timestamp()})
                index_arrival(pipeline, None, booking)
                for door in booking.doors:
                    index_door(pipeline, None, booking, door, expires_at)

            return Write(
                record=booking,
                expires_at=expires_at,
                places=all_places(booking, self._clock(), words=words, reasons=reasons),
                together_with=indexes,
            )

        updated = self._records.update(redis_keys.booking_record(seen.booking_id), again)
        return booking_in(updated) or seen

    def record_message(self, booking_id: str, transition: Callable[[Booking | None], Change]) -> Booking:
        """Like `record`, for a booking that may not exist yet. The caller goes on working on all of its doors."""
        return self._change(booking_id, None, transition, lambda _: True)

    def publish(self, booking: Booking) -> Booking:
        """Publish the booking's outbox in order, at least once each, and return the booking with an empty outbox."""
        notices = booking.outbox
        if not notices or self._outbox is None:
            return booking
        for notice in notices:
            self._outbox.publish(booking.booking_id, notice)
        return self.record(booking, lambda it: transitions.clear_published(it, notices))

    def release(self, booking_id: str, door_key: str, *, seen: Booking | None = None) -> None:
        """Put a door at the time in its record, after work on it; one that doesn't exist any more leaves the due-set.

        `seen` is the booking as the caller read or wrote it last. Another process may have changed the record since; so
        the record's version is read together with the write, and if it is newer, the newer time is set.
        """
        booking = seen or booking_in(self._records.load(redis_keys.booking_record(booking_id)))
        while self._put(booking_id, door_key, booking) != (booking.version if booking else 0):
            booking = booking_in(self._records.load(redis_keys.booking_record(booking_id)))

    def _change(
        self,
        booking_id: str,
        seen: Stored[Booking] | None,
        transition: Callable[[Booking | None], Change],
        is_in_hand: Callable[[str], bool],
    ) -> Booking:
        is_written = False

        def changed(stored: Stored[Booking]) -> Write[Booking] | None:
            nonlocal is_written
            before = booking_in(stored)
            change = transition(before)
            is_written = change.booking is not before
            return self._write_of(before, change, is_in_hand) if is_written else None

        booking = booking_in(self._records.update(redis_keys.booking_record(booking_id), changed, seen=seen))
        if booking is None:
            raise UnknownBooking(booking_id)
        return self.publish(booking) if is_written else booking

    def _write_of(self, before: Booking | None, change: Change, is_in_hand: Callable[[str], bool]) -> Write[Booking]:
        booking = change.booking
        doors_before = before.doors if before else ()
        changed = [door for door in booking.doors if door not in doors_before]
        expires_at = self._expiry(booking)

        def indexes(pipeline: Pipeline) -> None:
            # These are written even if the record then isn't: they are right for every version of the record. That
            # includes the time of an outbox that isn't empty, which is never moved to a later time.
            if booking.outbox:
                self._due.hold([door_item(booking.booking_id, OUTBOX)], self._clock(), pipeline=pipeline)
            if before is None or before.stay != booking.stay:
                pipeline.zadd(redis_keys.BOOKINGS, {booking.booking_id: expires_at.timestamp()})
            index_arrival(pipeline, before, booking)
            if devices := doors_to_compare(before, booking):
                at = self._clock() + _COMPARED_AFTER
                self._due.advance(map(conflicts_item, devices), at, pipeline=pipeline)
            for door in changed:
                index_door(pipeline, before, booking, door, expires_at)

        return Write(
            record=booking,
            expires_at=expires_at,
            history_key=redis_keys.booking_history(booking.booking_id),
            history=[HISTORY.dump_json(entry, exclude_defaults=True).decode() for entry in change.history],
            due=due_times(
                before,
                booking,
                is_in_hand,
                now=self._clock(),
                lease=self._due.lease,
                is_published_here=self._outbox is not None,
            ),
            places=places_of(before, booking, self._clock()),
            together_with=indexes,
        )

    def _put(self, booking_id: str, door_key: str, booking: Booking | None) -> int:
        """Set the times in `booking`, and return the version that the record had at that moment (0: no record)."""
        doors = booking.doors if booking else ()
        due_at = next((door.due_at for door in doors if door.key == door_key), None)
        # An outbox that isn't empty stays due, also if the caller has just published an older one.
        times = [(door_item(booking_id, door_key), due_at)] if door_key != OUTBOX else []
        if booking is None or not booking.outbox:
            times.append((door_item(booking_id, OUTBOX), None))
        pipeline = self._redis.pipeline(transaction=False)
        self._due.set(times, pipeline=pipeline)
        pipeline.hget(redis_keys.booking_record(booking_id), "version")
        return int(pipeline.execute()[-1] or 0)

    def record_events(self, events: list[tuple[str, str]]) -> None:
        """Append (access_code_id, event JSON) pairs to the stories of their codes.

        The events are kept as long as the code's booking; those of a code without a booking (not ours, or not recorded
        yet) for three days. An event that is given twice is stored twice; the story shows it once.
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
            # The server answers -2 if there is no such key: the code has no booking.
            if expiry > 0:
                pipeline.pexpireat(key, expiry)
            else:
                pipeline.expire(key, redis_keys.UNOWNED_EVENTS_FOR)
        pipeline.execute()

    def note(self, booking_id: str, entry: HistoryEntry) -> None:
        """Add a line to the booking's story, and change nothing else. Not idempotent."""
        key = redis_keys.booking_history(booking_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.rpush(key, HISTORY.dump_json(entry, exclude_defaults=True).decode())
        pipeline.ltrim(key, -MOST_LINES, -1)
        pipeline.expire(key, self._retention, nx=True)
        pipeline.execute()

    def erase_personal_data(self, booking: Booking, key: str) -> Booking:
        """Erase the personal data of a booking long after its stay: its label, and the events of its codes.

        Idempotent. If the process is killed midway, the door is still due.
        """
        codes = devices_of_codes(booking, self._lines(booking.booking_id))
        if codes:
            self._redis.delete(*map(redis_keys.code_events, codes))
        now = self._clock()
        return self.record(booking, lambda it: transitions.erase_personal_data(it, key, now=now), in_hand=key)

    def erase_at(self, booking: Booking) -> datetime:
        """Return when a booking's personal data is erased, if its stay ends as it is booked now."""
        return erased_at(booking, retention=self._retention, now=self._clock())

    def _expiry(self, booking: Booking) -> datetime:
        """Return when the booking's record and history expire."""
        return deleted_at(booking, retention=self._retention, now=self._clock())
