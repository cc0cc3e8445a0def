"""The indexes of bookings: by check-in, doors, codes, state, reason and words. Written together with the record.

Arrivals, doors and codes are right for every version of the record: they are queued beside the write. State, reason and
words are right for one version only: they are written in the same atomic step as the record (`places_of`).
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State
from shared.domain.stay.instants import surely_over_at
from shared.domain.times.epoch import milliseconds
from shared.ledger.records import IndexPlace

WORD_END: Final = "\x1f"
INDEX_VERSION: Final = "1"
"""Version of the indexes that `places_of` fills. If another one is stored, they are filled again."""
_WORD: Final = re.compile(r"[^\s,;|]+")
_MOST_WORDS: Final = 12
_LONGEST_WORD: Final = 64


def index_arrival(pipeline: Pipeline, before: Booking | None, booking: Booking) -> None:
    """Queue on `pipeline` the index by check-in, if the check-in is new or has changed."""
    at = None if booking.cancelled else first_check_in(booking)
    if before is None or before.cancelled != booking.cancelled or first_check_in(before) != at:
        if at is None:
            pipeline.zrem(redis_keys.ARRIVALS, booking.booking_id)
        else:
            pipeline.zadd(redis_keys.ARRIVALS, {booking.booking_id: at.timestamp()})


def index_door(
    pipeline: Pipeline, before: Booking | None, booking: Booking, door: BookedDoor, expires_at: datetime
) -> None:
    """Queue on `pipeline` the indexes by door and by code, where they are new or expire later than before."""
    until = milliseconds(expires_at)
    lives_as_before = before is not None and before.stay == booking.stay
    doors_before = before.doors if before is not None else ()
    if not lives_as_before or door.device_id not in {each.device_id for each in doors_before}:
        of_door = redis_keys.door_bookings(door.device_id)
        pipeline.zadd(of_door, {booking.booking_id: expires_at.timestamp()})
        pipeline.pexpireat(of_door, until, gt=True)
        pipeline.pexpireat(of_door, until, nx=True)
        if booking.stay is not None:
            pipeline.zadd(redis_keys.DOORS, {door.device_id: surely_over_at(booking.stay).timestamp()}, gt=True)
    known = {(code.access_code_id, each.key) for each in doors_before for code in codes_of(each)}
    for code in codes_of(door):
        if not lives_as_before or (code.access_code_id, door.key) not in known:
            owner = json.dumps([booking.booking_id, door.key])
            pipeline.set(redis_keys.code_owner(code.access_code_id), owner, pxat=until)
            pipeline.pexpireat(redis_keys.code_events(code.access_code_id), until)


def doors_to_compare(before: Booking | None, booking: Booking) -> list[str]:
    """Return the doors on which, after this change of a booking, all bookings are compared with each other again."""
    if before is not None and _met_by_others(before) == _met_by_others(booking):
        return []
    return list(dict.fromkeys(door.device_id for door in booking.doors))


def _met_by_others(booking: Booking) -> tuple[object, ...]:
    """Return the fields that decide whether a booking conflicts with another. It is cheap: each write compares it."""
    doors = [
        (door.key, door.wanted, door.state is State.ENDED, door.time_zone, door.name, door.residual)
        for door in booking.doors
    ]
    return booking.stay, booking.cancelled, doors


def places_of(before: Booking | None, after: Booking, now: datetime) -> list[IndexPlace]:
    """Return the places in the indexes that a write of `after` over `before` changes.

    `before` None: it isn't known which places are stored, so all places of `after` are set.
    """
    booking_id, at = after.booking_id, _check_in(after)
    places: list[IndexPlace] = [(redis_keys.BOOKINGS_BY_CHANGE, booking_id, now.timestamp())]
    old = _keys_of(before) if before is not None else set()
    is_moved = before is None or _check_in(before) != at
    places += [(key, booking_id, None) for key in sorted(old - _keys_of(after))]
    places += [(key, booking_id, at) for key in sorted(_keys_of(after) if is_moved else _keys_of(after) - old)]
    if after.reason and (before is None or before.reason != after.reason):
        places.append((redis_keys.BOOKING_REASONS, after.reason, now.timestamp()))
    residual = _residual_until(after)
    if before is None or _residual_until(before) != residual:
        places.append((redis_keys.BOOKINGS_BY_RESIDUAL, booking_id, residual))
    old_words, words = words_of(before) if before is not None else set(), words_of(after)
    places += [(redis_keys.BOOKINGS_BY_WORD, word_member(word, booking_id), None) for word in sorted(old_words - words)]
    places += [(redis_keys.BOOKINGS_BY_WORD, word_member(word, booking_id), 0) for word in sorted(words - old_words)]
    return places


def all_places(
    booking: Booking, now: datetime, *, words: Iterable[str] = (), reasons: Iterable[str] = ()
) -> list[IndexPlace]:
    """Return all places of a booking, and its removal from where it shouldn't be.

    `words` and `reasons` are those under which the indexes may have it.
    """
    keys = {redis_keys.bookings_in_state(state) for state in State}
    keys |= {redis_keys.bookings_of_reason(reason) for reason in reasons}
    wrong: list[IndexPlace] = [(key, booking.booking_id, None) for key in sorted(keys - _keys_of(booking))]
    wrong += [
        (redis_keys.BOOKINGS_BY_WORD, word_member(word, booking.booking_id), None)
        for word in sorted(set(words) - words_of(booking))
    ]
    return wrong + places_of(None, booking, now)


def words_of(booking: Booking) -> set[str]:
    """Return the words by which a booking is found: its id, and the words of its label, in lower case."""
    words = _WORD.findall(booking.label or "")[:_MOST_WORDS]
    return {word.casefold()[:_LONGEST_WORD] for word in (booking.booking_id, *words)}


def reasons_in_use(redis: Redis) -> list[str]:
    """Return every reason that at least one booking has."""
    known = [str(each) for each in cast(Any, redis.zrange(redis_keys.BOOKING_REASONS, 0, -1))]
    pipeline = redis.pipeline(transaction=False)
    for reason in known:
        pipeline.zcard(redis_keys.bookings_of_reason(reason))
    return sorted(reason for reason, count in zip(known, pipeline.execute(), strict=True) if count)


def shed_expired(redis: Redis, now: datetime) -> None:
    """Take expired bookings out of all indexes. It takes one command if there are none. Idempotent.

    The data server deletes an expired record, and its state and words are then unknown: so each index is asked for the
    booking. BOOKINGS, which names the expired ones, is cleared last, so that a killed process leaves nothing behind.
    """
    gone = [str(each) for each in cast(Any, redis.zrange(redis_keys.BOOKINGS, "-inf", now.timestamp(), byscore=True))]
    if not gone:
        return
    keys = [redis_keys.BOOKINGS_BY_CHECK_IN, redis_keys.BOOKINGS_BY_CHANGE, redis_keys.BOOKINGS_BY_RESIDUAL]
    keys += [redis_keys.bookings_in_state(state) for state in State]
    keys += [redis_keys.bookings_of_reason(reason) for reason in reasons_in_use(redis)]
    ids = set(gone)
    members = (str(member) for member, _ in cast(Any, redis.zscan_iter(redis_keys.BOOKINGS_BY_WORD)))
    words = [member for member in members if member.partition(WORD_END)[2] in ids]
    pipeline = redis.pipeline(transaction=False)
    for key in keys:
        pipeline.zrem(key, *gone)
    if words:
        pipeline.zrem(redis_keys.BOOKINGS_BY_WORD, *words)
    pipeline.zrem(redis_keys.BOOKINGS, *gone)
    pipeline.execute()


def _keys_of(booking: Booking) -> set[str]:
    keys = {redis_keys.BOOKINGS_BY_CHECK_IN, redis_keys.bookings_in_state(str(booking.state))}
    return keys | ({redis_keys.bookings_of_reason(booking.reason)} if booking.reason else set())


def _check_in(booking: Booking) -> float:
    at = first_check_in(booking)
    return at.timestamp() if at is not None else 0.0


def _residual_until(booking: Booking) -> float | None:
    """Return when the last residual code of the booking ends, in epoch seconds; None if it has none."""
    ends = [code.window.ends_at.timestamp() for door in booking.doors for code in door.residual]
    return max(ends, default=None)


def word_member(word: str, booking_id: str) -> str:
    """Return the member of the index by words that stands for a word of a booking."""
    return f"{word}{WORD_END}{booking_id}"


def codes_of(door: BookedDoor) -> tuple[AccessCode, ...]:
    """Return every code of a door: the current one, and those of earlier revisions."""
    return (*((door.code,) if door.code else ()), *door.residual)
