"""Short ways to say doors, slots and stays in tests."""

from datetime import date, datetime, time
from typing import Any

from shared.domain.door.door import Door, TimeSlot, door_from_device
from shared.domain.messages.time_fields import parse_booking_time
from shared.domain.stay.stay import Granularity, Instant, Stay, WallTime
from shared.domain.times.time_of_day import TimeOfDay

LOS_ANGELES = "America/Los_Angeles"
ID = "f23721ec-6dce-4c54-8971-40d58449a366"


def time_of_day(written: str, zone: str | None = None) -> TimeOfDay:
    """`16:00` on a slot's clock."""
    return TimeOfDay(time.fromisoformat(written), zone)


def slot(times: str = "16:00-10:00", *, zone: str | None = None, **fields: Any) -> TimeSlot:
    """Return a slot `16:00-10:00`, named so unless told otherwise."""
    check_in, check_out = times.split("-")
    known: dict[str, Any] = {
        "name": times,
        "user_level_id": f"level {times}",
        "prefix": 0,
        "check_in": time_of_day(check_in, zone),
        "check_out": time_of_day(check_out, zone),
    }
    return TimeSlot(**(known | fields))


def day_slot(at: str = "12:00", **fields: Any) -> TimeSlot:
    """Return a 24-hour slot with the same time at both ends."""
    return slot(f"{at}-{at}", is_24_hour=True, **fields)


def door(*slots: TimeSlot, time_zone: str | None = LOS_ANGELES, **fields: Any) -> Door:
    """Return a door that takes offline codes and has these slots."""
    known: dict[str, Any] = {
        "device_id": "11111111-1111-1111-1111-444444444444",
        "name": "Room 101",
        "can_program_offline_access_codes": True,
        "slots": slots,
        "time_zone": time_zone,
    }
    return Door(**(known | fields))


def stay(check_in: str, check_out: str, zone: str | None = None, **fields: Any) -> Stay:
    """Return a stay between two times as a booking message writes them."""
    return Stay(check_in=stay_time(check_in, zone), check_out=stay_time(check_out, zone), **fields)


def daily(check_in: str, check_out: str) -> Stay:
    """Return a stay booked by the day."""
    return stay(check_in, check_out, granularity=Granularity.DAILY)


def stay_time(written: str, zone: str | None = None) -> Instant | WallTime:
    """Return an instant or a wall time."""
    at = parse_booking_time(written, zone)
    assert isinstance(at, Instant | WallTime)
    return at


def vendor_slot(check_in: str, check_out: str, **fields: Any) -> dict[str, Any]:
    """Return a slot as Seam writes it."""
    return {
        "name": "Guest RCI D 7am-7pm",
        "prefix": 0,
        "is_master": False,
        "is_24_hour": False,
        "is_one_shot": False,
        "check_in_time": check_in,
        "check_out_time": check_out,
        "is_biweekly_mode": False,
        "dormakaba_oracode_user_level_id": ID,
        "ext_dormakaba_oracode_user_level_prefix": 0,
    } | fields


def device(*slots: Any, **fields: Any) -> dict[str, Any]:
    """Return a device object as Seam returns it."""
    return {
        "device_id": "11111111-1111-1111-1111-444444444444",
        "device_type": "dormakaba_oracode_door",
        "display_name": "Room 101",
        "can_program_offline_access_codes": True,
        "properties": {
            "dormakaba_oracode_metadata": {
                "iana_timezone": LOS_ANGELES,
                "predefined_time_slots": list(slots),
            }
        },
    } | fields


def vendor_door(*slots: Any) -> Door:
    """Return the door of a device with these slots."""
    return door_from_device(device(*slots))


def wall(written: str) -> datetime:
    """Return a naive wall time."""
    return datetime.fromisoformat(written)


def on(written: str) -> date:
    """Return a date."""
    return date.fromisoformat(written)
