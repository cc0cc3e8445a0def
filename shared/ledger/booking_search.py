"""Finds bookings by what people look for, a page at a time, by the indexes: never by reading all bookings.

The most selective index that the filter has gives the candidates; the records decide. If an older process wrote a
booking and left its place in an index out of date, the booking may be left out, but is never shown wrongly.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import structlog
from redis import Redis

from shared import redis_keys
from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.record import Booking, State
from shared.ledger.booking_indexes import INDEX_VERSION, WORD_END, reasons_in_use
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.records import RecordStore

PAGE: Final = 50
MOST_CANDIDATES: Final = 2_000
"""Of a filter by word, door, building or reason at most so many bookings are looked at; the answer says so."""
_CHUNK: Final = 100

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilter:
    """What is looked for. All conditions hold together; an empty one fits everything.

    `word` is the beginning of the booking's id, or of a word of its label. `device_ids` None means any door.
    Check-ins are by the earliest moment that they can be, both ends included.
    """

    state: str = ""
    reason: str = ""
    word: str = ""
    device_ids: tuple[str, ...] | None = None
    check_in_from: datetime | None = None
    check_in_to: datetime | None = None

    def fits(self, booking: Booking) -> bool:
        """Say whether a booking is looked for, its words aside."""
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
    """A page of bookings. `counts` are those of each state that fit the rest of the filter.

    `cursor` leads to the next page; empty on the last one. `is_cut` says that not all candidates were looked at.
    """

    bookings: tuple[Booking, ...]
    counts: dict[str, int]
    cursor: str = ""
    is_cut: bool = False


class BookingSearch:
    """Reads the indexes that `shared.ledger.booking_indexes` fills."""

    def __init__(self, redis: Redis, ledger: BookingLedger) -> None:
        self._redis = redis
        self._ledger = ledger
        self._records = RecordStore(redis, Booking, exclude=frozenset({"version"}))

    def find(self, wanted: BookingFilter, *, latest_first: bool = False, cursor: str = "", limit: int = PAGE) -> Found:
        """Return a page of bookings by check-in. Raises ValueError where `cursor` is none of ours."""
        after = _place_of(cursor) if cursor else None
        if wanted.word or wanted.device_ids is not None or wanted.reason:
            return self._among(self._candidates(wanted), wanted, latest_first=latest_first, after=after, limit=limit)
        key = redis_keys.bookings_in_state(wanted.state) if wanted.state else redis_keys.BOOKINGS_BY_CHECK_IN
        bookings: list[Booking] = []
        last = (0.0, "")
        for place, booking in self._along(key, wanted, latest_first=latest_first, after=after):
            if len(bookings) == limit:
                return Found(bookings=tuple(bookings), counts=self._counts(wanted), cursor=_cursor(last))
            bookings.append(booking)
            last = place
        return Found(bookings=tuple(bookings), counts=self._counts(wanted))

    def counts(self) -> dict[str, int]:
        """Return how many bookings are in each state."""
        return self._counts(BookingFilter())

    def reasons(self) -> list[str]:
        """Return the reasons that some booking has."""
        return reasons_in_use(self._redis)

    def changed_since(self, moment: float) -> list[tuple[str, float]]:
        """Return the bookings that changed after this moment (epoch seconds), with when."""
        found = cast(
            Any,
            self._redis.zrange(redis_keys.BOOKINGS_BY_CHANGE, f"({moment!r}", "+inf", byscore=True, withscores=True),
        )
        return [(str(booking_id), float(at)) for booking_id, at in found]

    def with_residual_access(self, now: datetime, *, most: int) -> list[Booking]:
        """Return bookings of which a code still opens a door that it shouldn't; what ends first comes first."""
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

    def fill(self) -> int:
        """Fill the indexes with every booking where an older version left them empty; return how many it wrote.

        Each is written again as it is, so that its places come with its record, atomically. Repeats are harmless.
        """
        if self._redis.get(redis_keys.BOOKINGS_INDEXED) == INDEX_VERSION:
            return 0
        written = 0
        for booking in self._ledger.all():
            try:
                self._ledger.index_anew(booking)
            except UnknownBooking:
                continue
            written += 1
        self._redis.set(redis_keys.BOOKINGS_INDEXED, INDEX_VERSION)
        log.info("bookings.indexed", bookings=written)
        return written

    def _along(
        self, key: str, wanted: BookingFilter, *, latest_first: bool, after: tuple[float, str] | None
    ) -> Iterator[tuple[tuple[float, str], Booking]]:
        """Yield the bookings of an index in its order, from a place on."""
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
                    key, start, end, byscore=True, desc=latest_first, offset=offset, num=_CHUNK, withscores=True
                ),
            )
            places = [(float(at), str(booking_id)) for booking_id, at in found]
            for place, booking in zip(places, self._load(each for _, each in places), strict=True):
                is_seen = after is not None and (place >= after if latest_first else place <= after)
                if not is_seen and booking is not None and wanted.fits(booking):
                    yield place, booking
            if len(places) < _CHUNK:
                return
            offset += _CHUNK

    def _among(
        self,
        candidates: tuple[list[str], bool],
        wanted: BookingFilter,
        *,
        latest_first: bool,
        after: tuple[float, str] | None,
        limit: int,
    ) -> Found:
        """Return a page of the candidates. The indexes say which fit; only the page's own records are read."""
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
        """Return the state of each booking that fits all but the state, by its place; as the indexes have them."""
        if not ids:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zmscore(redis_keys.BOOKINGS_BY_CHECK_IN, ids)
        pipeline.zmscore(redis_keys.bookings_of_reason(wanted.reason), ids)
        for state in State:
            pipeline.zmscore(redis_keys.bookings_in_state(state), ids)
        check_ins, with_reason, *of_states = pipeline.execute()
        low = wanted.check_in_from.timestamp() if wanted.check_in_from else float("-inf")
        high = wanted.check_in_to.timestamp() if wanted.check_in_to else float("inf")
        found: dict[tuple[float, str], str] = {}
        for number, booking_id in enumerate(ids):
            at = check_ins[number]
            has_reason = not wanted.reason or with_reason[number] is not None
            its_states = [str(each) for each, of in zip(State, of_states, strict=True) if of[number] is not None]
            if at is not None and its_states and has_reason and low <= at <= high:
                found[float(at), booking_id] = its_states[0]
        return found

    def _candidates(self, wanted: BookingFilter) -> tuple[list[str], bool]:
        """Return the ids of bookings that may fit, by the most selective indexes, and whether these are not all."""
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
    if not separator:
        raise ValueError("is no cursor of ours")
    return float(at), booking_id
