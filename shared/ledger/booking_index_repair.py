"""Fills the indexes of bookings where they are empty, and writes them anew where they are wrong."""

import time
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final, cast

import structlog
from redis import Redis

from shared import redis_keys
from shared.domain.booking.record import State
from shared.ledger.booking_indexes import INDEX_VERSION, WORD_END, reasons_in_use, word_member
from shared.ledger.bookings import BookingLedger, UnknownBooking

# After so many bookings it pauses for as long as they took.
_AT_A_STRETCH: Final = 50
_SCANNED_AT_ONCE: Final = 1_000

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BookingIndexRepair:
    """Writes the indexes that `shared.ledger.booking_indexes` describes. All processes may run meanwhile."""

    def __init__(self, redis: Redis, ledger: BookingLedger) -> None:
        self._redis = redis
        self._ledger = ledger

    def fill(self) -> int:
        """Fill the indexes if an older version left them empty; return how many bookings were written.

        Each booking is written again unchanged, atomically with its places in the indexes. Idempotent. It pauses half
        of the time, so that other work on the data server goes first.
        """
        if self._redis.get(redis_keys.BOOKINGS_INDEXED) == INDEX_VERSION:
            return 0
        return len(self._index_all({}, ()))

    def rebuild(self) -> tuple[int, int]:
        """Write the index entries of all bookings anew, and remove those of bookings that have no record.

        Returns how many bookings were indexed, and of how many that are gone something was removed. The bookings
        themselves stay as they are. All processes may run meanwhile; repeats are harmless.
        """
        words = _words_in_index(self._redis)
        indexed = self._index_all(words, reasons_in_use(self._redis))
        return len(indexed), _remove_orphans(self._redis, words, indexed)

    def _index_all(self, words: Mapping[str, set[str]], reasons: Sequence[str]) -> set[str]:
        """Index every booking; return their ids."""
        written: set[str] = set()
        began = time.monotonic()
        for booking in self._ledger.all():
            try:
                self._ledger.reindex(booking, words=words.get(booking.booking_id, ()), reasons=reasons)
            except UnknownBooking:
                continue
            written.add(booking.booking_id)
            if len(written) % _AT_A_STRETCH == 0:
                time.sleep(time.monotonic() - began)
                began = time.monotonic()
        self._redis.set(redis_keys.BOOKINGS_INDEXED, INDEX_VERSION)
        log.info("bookings.indexed", bookings=len(written))
        return written


def _words_in_index(redis: Redis) -> dict[str, set[str]]:
    """Return the words under which the index has each booking, by the booking's id."""
    found: dict[str, set[str]] = {}
    for member, _ in cast(Any, redis.zscan_iter(redis_keys.BOOKINGS_BY_WORD, count=_SCANNED_AT_ONCE)):
        word, _, booking_id = str(member).partition(WORD_END)
        found.setdefault(booking_id, set()).add(word)
    return found


def _remove_orphans(redis: Redis, words: Mapping[str, set[str]], known: Container[str]) -> int:
    """Remove entries of bookings that have no record; return of how many bookings.

    `known` are bookings that have one for certain: the others are looked up. `words` is what `_words_in_index` returns.
    """
    keys = [redis_keys.BOOKINGS_BY_CHECK_IN, redis_keys.BOOKINGS_BY_CHANGE, redis_keys.BOOKINGS_BY_RESIDUAL]
    keys += [redis_keys.ARRIVALS, *(redis_keys.bookings_in_state(state) for state in State)]
    keys += [redis_keys.bookings_of_reason(reason) for reason in reasons_in_use(redis)]
    listed = (str(each) for key in keys for each, _ in cast(Any, redis.zscan_iter(key, count=_SCANNED_AT_ONCE)))
    doubtful = sorted({each for each in (*listed, *words) if each not in known})
    pipeline = redis.pipeline(transaction=False)
    for booking_id in doubtful:
        pipeline.exists(redis_keys.booking_record(booking_id))
    gone = [each for each, exists in zip(doubtful, pipeline.execute(), strict=True) if not exists]
    for booking_id in gone:
        for key in keys:
            pipeline.zrem(key, booking_id)
        for word in words.get(booking_id, ()):
            pipeline.zrem(redis_keys.BOOKINGS_BY_WORD, word_member(word, booking_id))
    pipeline.execute()
    return len(gone)
