"""Finds bookings by a filter, a page at a time, through the indexes. It never reads all bookings.

For a filter by state or check-in one index is walked along; for any other `shared.ledger.booking_candidates` says which
bookings may fit. Their records decide. If an older process wrote a booking and left an index out of date, that booking
may be missing from the page, but never is on it wrongly.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.booking.record import Booking, State
from shared.ledger.booking_candidates import BookingCandidates, Place
from shared.ledger.booking_filter import BookingFilter
from shared.ledger.booking_indexes import reasons_in_use
from shared.ledger.records import RecordStore

PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of bookings. `counts` says how many bookings of each state meet the other conditions.

    `cursor` leads to the next page, and is empty on the last one. `is_cut`: not all candidates were read.
    """

    bookings: tuple[Booking, ...]
    counts: dict[str, int]
    cursor: str = ""
    is_cut: bool = False


class BookingSearch:
    """Reads the indexes that `shared.ledger.booking_indexes` fills."""

    def __init__(self, redis: Redis, *, remembered: int = 0) -> None:
        """Find the bookings in `redis`; `remembered` is how many records stay parsed (`shared.ledger.records`)."""
        self._redis = redis
        self._candidates = BookingCandidates(redis)
        self._records = RecordStore(redis, Booking, exclude=frozenset({"version"}), remembered=remembered)

    def find(self, wanted: BookingFilter, *, latest_first: bool = False, cursor: str = "", limit: int = PAGE) -> Found:
        """Return a page of bookings, ordered by check-in. Raises ValueError if `cursor` isn't from a `Found`."""
        after = _place_of(cursor) if cursor else None
        if wanted.needs_candidates:
            return self._page_of_candidates(wanted, latest_first=latest_first, after=after, limit=limit)
        key = redis_keys.bookings_in_state(wanted.state) if wanted.state else redis_keys.BOOKINGS_BY_CHECK_IN
        bookings: list[Booking] = []
        last = (0.0, "")
        for place, booking in self._walk(key, wanted, latest_first=latest_first, after=after, chunk=limit + 1):
            if len(bookings) == limit:
                return Found(bookings=tuple(bookings), counts=self._counts(wanted), cursor=_cursor(last))
            bookings.append(booking)
            last = place
        return Found(bookings=tuple(bookings), counts=self._counts(wanted))

    def counts(self) -> dict[str, int]:
        """Return how many bookings are in each state."""
        return self._counts(BookingFilter())

    def reasons(self) -> list[str]:
        """Return every reason that at least one booking has."""
        return reasons_in_use(self._redis)

    def changed_since(self, moment: float) -> list[tuple[str, float]]:
        """Return the bookings that changed after this moment (epoch seconds), with when."""
        found = cast(
            Any,
            self._redis.zrange(redis_keys.BOOKINGS_BY_CHANGE, f"({moment!r}", "+inf", byscore=True, withscores=True),
        )
        return [(str(booking_id), float(at)) for booking_id, at in found]

    def with_residual_access(self, now: datetime, *, most: int) -> list[Booking]:
        """Return bookings with a code that opens a door although it shouldn't, in the order in which the codes end."""
        found = cast(
            Any,
            self._redis.zrange(
                redis_keys.BOOKINGS_BY_RESIDUAL, now.timestamp(), "+inf", byscore=True, offset=0, num=most
            ),
        )
        return [booking for booking in self._load(map(str, found)) if booking is not None]

    def get_many(self, ids: Iterable[str]) -> dict[str, Booking]:
        """Return the bookings of these ids that there are, but for those that only a newer process can read."""
        return {each.booking_id: each for each in self._load(ids) if each is not None}

    def _walk(
        self, key: str, wanted: BookingFilter, *, latest_first: bool, after: Place | None, chunk: int
    ) -> Iterator[tuple[Place, Booking]]:
        """Yield the bookings of an index in its order, from the place `after` on; `chunk` records are read at once."""
        low, high = wanted.check_ins
        if after is not None:
            low, high = (low, after[0]) if latest_first else (after[0], high)
        start, end = (high, low) if latest_first else (low, high)
        offset = 0
        while True:
            found = cast(
                Any,
                self._redis.zrange(
                    key, start, end, byscore=True, desc=latest_first, offset=offset, num=chunk, withscores=True
                ),
            )
            places = [(float(at), str(booking_id)) for booking_id, at in found]
            for place, booking in zip(places, self._load(each for _, each in places), strict=True):
                is_seen = after is not None and (place >= after if latest_first else place <= after)
                if not is_seen and booking is not None and wanted.fits(booking):
                    yield place, booking
            if len(places) < chunk:
                return
            offset += chunk

    def _page_of_candidates(
        self, wanted: BookingFilter, *, latest_first: bool, after: Place | None, limit: int
    ) -> Found:
        """Return a page of the candidates. The indexes say which fit; only the records of the page are read."""
        ids, is_cut = self._candidates.ids(wanted)
        states = self._candidates.states(ids, wanted)
        places = sorted((place for place, state in states.items() if wanted.state in ("", state)), reverse=latest_first)
        rest = [each for each in places if after is None or (each < after if latest_first else each > after)]
        page: list[Booking] = []
        at = 0
        while at < len(rest) and len(page) < limit:
            chunk = rest[at : at + limit - len(page)]
            at += len(chunk)
            loaded = self._load(booking_id for _, booking_id in chunk)
            page += [booking for booking in loaded if booking is not None and wanted.fits(booking)]
        return Found(
            bookings=tuple(page),
            counts=dict(Counter(states.values())),
            cursor=_cursor(rest[at - 1]) if at < len(rest) else "",
            is_cut=is_cut,
        )

    def _counts(self, wanted: BookingFilter) -> dict[str, int]:
        low, high = wanted.check_ins
        pipeline = self._redis.pipeline(transaction=False)
        for state in State:
            pipeline.zcount(redis_keys.bookings_in_state(state), low, high)
        return {str(state): count for state, count in zip(State, pipeline.execute(), strict=True) if count}

    def _load(self, ids: Iterable[str]) -> list[Booking | None]:
        return self._records.load_many([redis_keys.booking_record(each) for each in ids], passes_over_newer=True)


def _cursor(place: Place) -> str:
    return f"{place[0]!r}:{place[1]}"


def _place_of(cursor: str) -> Place:
    at, separator, booking_id = cursor.partition(":")
    if not separator or not isfinite(float(at)):
        raise ValueError("is no cursor of ours")
    return float(at), booking_id
