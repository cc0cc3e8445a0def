"""Bookings that may fit a filter by word, door or reason, from the indexes alone: no record is read."""

from collections.abc import Mapping
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.booking.record import State
from shared.ledger.booking_filter import BookingFilter
from shared.ledger.booking_indexes import WORD_END

Place = tuple[float, str]
"""Where a booking stands in the order of check-ins: its check-in in epoch seconds, and its id."""

MOST_CANDIDATES: Final = 2_000
"""At most so many bookings are looked at; `Found.is_cut` says if there were more."""
# For a few bookings all indexes of states are asked at once; for many one after the other.
_FEW: Final = 100


class BookingCandidates:
    """Reads the indexes that `shared.ledger.booking_indexes` fills."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ids(self, wanted: BookingFilter) -> tuple[list[str], bool]:
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

    def states(self, ids: list[str], wanted: BookingFilter) -> dict[Place, str]:
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
        low, high = wanted.check_ins
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

    def _of_doors(self, device_ids: tuple[str, ...], most: int) -> list[str]:
        pipeline = self._redis.pipeline(transaction=False)
        for device_id in device_ids:
            pipeline.zrange(redis_keys.door_bookings(device_id), 0, most)
        return list(dict.fromkeys(str(each) for found in pipeline.execute() for each in found))[:most]
