"""Finds bookings by a filter, a page at a time, through the indexes. It never reads all bookings.

The most selective index of the filter gives the candidates, and their records decide. If an older process wrote a
booking and left an index out of date, that booking may be missing from the page, but never is on it wrongly.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.record import Booking, State
from shared.ledger.booking_indexes import WORD_END, reasons_in_use
from shared.ledger.records import RecordStore

PAGE: Final = 50
MOST_CANDIDATES: Final = 2_000
"""With a filter by word, door, building or reason at most so many bookings are read; `Found.is_cut` says so."""
# For a few bookings all indexes of states are asked at once; for many one after the other.
_FEW: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilter:
    """What is looked for. A booking must meet all conditions; an empty condition fits every booking.

    `word` is the beginning of the booking's id, or of a word of its label. `device_ids` None means any door.
    A check-in counts as the earliest moment that it can be. Both ends of the time are included.
    """

    state: str = ""
    reason: str = ""
    word: str = ""
    device_ids: tuple[str, ...] | None = None
    check_in_from: datetime | None = None
    check_in_to: datetime | None = None

    def fits(self, booking: Booking) -> bool:
        """Say whether a booking meets all conditions except `word`."""
        at = first_check_in(booking)
        devices = {door.device_id for door in booking.doors}
        return (
            self.state in ("", str(booking.state))
            and self.reason in ("", booking.reason)
            and (self.device_ids is None or not devices.isdisjoint(self.device_ids))
            and (self.check_in_from is None or (at is not None and at >= self.check_in_from))
            and (self.check_in_to is None or (at is not None and at <= self.check_in_to))
        )


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
        self._records = RecordStore(redis, Booking, exclude=frozenset({"version"}), remembered=remembered)

    def find(self, wanted: BookingFilter, *, latest_first: bool = False, cursor: str = "", limit: int = PAGE) -> Found:
        """Return a page of bookings, ordered by check-in. Raises ValueError if `cursor` isn't from a `Found`."""
        after = _place_of(cursor) if cursor else None
        if wanted.word or wanted.device_ids is not None or wanted.reason:
            return self._among(self._candidates(wanted), wanted, latest_first=latest_first, after=after, limit=limit)
        key = redis_keys.bookings_in_state(wanted.state) if wanted.state else redis_keys.BOOKINGS_BY_CHECK_IN
        bookings: list[Booking] = []
        last = (0.0, "")
        for place, booking in self._along(key, wanted, latest_first=latest_first, after=after, chunk=limit + 1):
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

    def _along(
        self, key: str, wanted: BookingFilter, *, latest_first: bool, after: tuple[float, str] | None, chunk: int
    ) -> Iterator[tuple[tuple[float, str], Booking]]:
        """Yield the bookings of an index in its order, from the place `after` on; `chunk` records are read at once."""
        low = wanted.check_in_from.timestamp() if wanted.check_in_from else "-inf"
        high = wanted.check_in_to.timestamp() if wanted.check_in_to else "+inf"
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

    def _among(
        self,
        candidates: tuple[list[str], bool],
        wanted: BookingFilter,
        *,
        latest_first: bool,
        after: tuple[float, str] | None,
        limit: int,
    ) -> Found:
        """Return a page of the candidates. The indexes say which fit; only the records of the page are read."""
        ids, is_cut = candidates
        states = self._states_of(ids, wanted)
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

    def _states_of(self, ids: list[str], wanted: BookingFilter) -> dict[tuple[float, str], str]:
        """Return the state of each booking that meets all conditions but the state, by its place in the order."""
        if not ids:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zmscore(redis_keys.BOOKINGS_BY_CHECK_IN, ids)
        for state in State:
            pipeline.zcard(redis_keys.bookings_in_state(state))
        if wanted.reason:
            pipeline.zmscore(redis_keys.bookings_of_reason(wanted.reason), ids)
        check_ins, *others = cast(Any, pipeline.execute())
        sizes, with_reason = others[: len(State)], others[-1] if wanted.reason else check_ins
        low = wanted.check_in_from.timestamp() if wanted.check_in_from else float("-inf")
        high = wanted.check_in_to.timestamp() if wanted.check_in_to else float("inf")
        fitting = {
            booking_id: float(at)
            for booking_id, at, reason_at in zip(ids, check_ins, with_reason, strict=True)
            if at is not None and reason_at is not None and low <= at <= high
        }
        states = self._state_of_each(list(fitting), dict(zip(map(str, State), sizes, strict=True)))
        return {(at, booking_id): states[booking_id] for booking_id, at in fitting.items() if booking_id in states}

    def _state_of_each(self, ids: list[str], sizes: Mapping[str, int]) -> dict[str, str]:
        """Return the state of each booking, from the indexes of states; `sizes` holds the size of each index."""
        found: dict[str, str] = {}
        left = ids
        if len(ids) > _FEW:
            # The largest index first: most bookings are then found in one or two indexes instead of in nine.
            for state in sorted((each for each in sizes if sizes[each]), key=lambda each: -sizes[each]):
                scores = cast(Any, self._redis.zmscore(redis_keys.bookings_in_state(state), left)) if left else []
                found |= {name: state for name, score in zip(left, scores, strict=True) if score is not None}
                left = [name for name in left if name not in found]
        # Also bookings that changed meanwhile, from a state not asked yet to one that was.
        if left:
            pipeline = self._redis.pipeline(transaction=False)
            for state in sizes:
                pipeline.zmscore(redis_keys.bookings_in_state(state), left)
            for state, scores in zip(sizes, cast(Any, pipeline.execute()), strict=True):
                found |= {name: state for name, score in zip(left, scores, strict=True) if score is not None}
        return found

    def _candidates(self, wanted: BookingFilter) -> tuple[list[str], bool]:
        """Return the ids of bookings that may fit, by the most selective index, and whether some were left out."""
        most = MOST_CANDIDATES + 1
        of_doors = self._of_doors(wanted.device_ids, most) if wanted.device_ids is not None else None
        if wanted.word:
            start = wanted.word.strip().casefold().encode("utf-8", "replace")
            members = cast(
                Any,
                self._redis.zrange(
                    redis_keys.BOOKINGS_BY_WORD, b"[" + start, b"[" + start + b"\xff", bylex=True, offset=0, num=most
                ),
            )
            ids = list(dict.fromkeys(str(member).partition(WORD_END)[2] for member in members))
            known = set(of_doors or ())
            fitting = ids if of_doors is None else [each for each in ids if each in known]
            return fitting[:MOST_CANDIDATES], len(members) >= most
        if of_doors is not None:
            return of_doors[:MOST_CANDIDATES], len(of_doors) >= most
        key = redis_keys.bookings_of_reason(wanted.reason)
        found = [str(each) for each in cast(Any, self._redis.zrange(key, 0, MOST_CANDIDATES))]
        return found[:MOST_CANDIDATES], len(found) >= most

    def _of_doors(self, device_ids: tuple[str, ...], most: int) -> list[str]:
        pipeline = self._redis.pipeline(transaction=False)
        for device_id in device_ids:
            pipeline.zrange(redis_keys.door_bookings(device_id), 0, most)
        return list(dict.fromkeys(str(each) for found in pipeline.execute() for each in found))[:most]

    def _counts(self, wanted: BookingFilter) -> dict[str, int]:
        low = wanted.check_in_from.timestamp() if wanted.check_in_from else "-inf"
        high = wanted.check_in_to.timestamp() if wanted.check_in_to else "+inf"
        pipeline = self._redis.pipeline(transaction=False)
        for state in State:
            pipeline.zcount(redis_keys.bookings_in_state(state), low, high)
        return {str(state): count for state, count in zip(State, pipeline.execute(), strict=True) if count}

    def _load(self, ids: Iterable[str]) -> list[Booking | None]:
        return self._records.load_many([redis_keys.booking_record(each) for each in ids], passes_over_newer=True)


def _cursor(place: tuple[float, str]) -> str:
    return f"{place[0]!r}:{place[1]}"


def _place_of(cursor: str) -> tuple[float, str]:
    at, separator, booking_id = cursor.partition(":")
    if not separator or not isfinite(float(at)):
        raise ValueError("is no cursor of ours")
    return float(at), booking_id
