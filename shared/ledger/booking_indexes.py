"""What finds a booking again: by its check-in, by its doors, and by its codes. Written together with its record."""

import json
from datetime import datetime

from redis.client import Pipeline

from shared import redis_keys
from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State
from shared.domain.stay.instants import surely_over_at


def index_arrival(pipeline: Pipeline, before: Booking | None, booking: Booking) -> None:
    """Queue what finds a booking by its check-in, where that is new, or another than before."""
    at = None if booking.cancelled else first_check_in(booking)
    if before is None or before.cancelled != booking.cancelled or first_check_in(before) != at:
        if at is None:
            pipeline.zrem(redis_keys.ARRIVALS, booking.booking_id)
        else:
            pipeline.zadd(redis_keys.ARRIVALS, {booking.booking_id: at.timestamp()})


def index_door(
    pipeline: Pipeline, before: Booking | None, booking: Booking, door: BookedDoor, expires_at: datetime
) -> None:
    """Queue what finds a booking again by its door and by its codes, where that is new or lives longer now."""
    until = _milliseconds(expires_at)
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


def compared_anew(before: Booking | None, booking: Booking) -> list[str]:
    """Return the doors whose bookings must be compared with each other again, because of this change of one of them."""
    if before is not None and _met_by_others(before) == _met_by_others(booking):
        return []
    return list(dict.fromkeys(door.device_id for door in booking.doors))


def _met_by_others(booking: Booking) -> tuple[object, ...]:
    """Return what decides whether a booking gets into another one's way, cheaply: it is compared at each write."""
    doors = [
        (door.key, door.wanted, door.state is State.ENDED, door.time_zone, door.name, door.residual)
        for door in booking.doors
    ]
    return booking.stay, booking.cancelled, doors


def codes_of(door: BookedDoor) -> tuple[AccessCode, ...]:
    """Return every code of a door that is known: the one at hand, and those of earlier revisions."""
    return (*((door.code,) if door.code else ()), *door.residual)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
