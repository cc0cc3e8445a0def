"""A booking with wall times that comes while Seam is away: alerts use the door's last known zone and name."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared import redis_keys
from shared.domain.booking.record import AlertNotice, Booking
from shared.domain.stay.instants import LONGEST_DOUBT
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.alerts.composing import check_in_text

LOS_ANGELES, TOKYO = "America/Los_Angeles", "Asia/Tokyo"


def book_while_away(machine: Machine, sandbox: Sandbox, device_id: str, wall: datetime) -> Booking:
    """Book with wall times while Seam is away, until people are told."""
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    check_out = (wall + timedelta(days=2)).isoformat()
    booking = machine.book(device_id, check_in=wall.isoformat(), check_out=check_out)
    for _ in range(6):
        machine.clock.move(timedelta(seconds=70))
        machine.sweep()
    return machine.ledger.get(booking.booking_id)


def told_of(machine: Machine, booking: Booking, device_id: str) -> AlertNotice:
    """Return the notice about the booking."""
    alert = machine.alerts.get(f"booking/{booking.booking_id}/seam_unavailable/{device_id}")
    assert alert is not None
    return alert.notice


@pytest.mark.parametrize("zone", [LOS_ANGELES, TOKYO])
@pytest.mark.parametrize("knows", ["the door", "another booking"])
def test_the_last_known_zone_and_name_are_used(machine: Machine, sandbox: Sandbox, zone: str, knows: str) -> None:
    """Also long after the cache has expired: from stored facts about the door, or from another booking of it."""
    device_id = sandbox.door(name="Room 7", time_zone=zone)
    machine.until(machine.book(device_id), "ready", "waiting", "scheduled")
    machine.redis.delete(redis_keys.door_device(device_id))
    if knows == "another booking":
        machine.redis.delete(redis_keys.door_known(device_id))
    wall = (
        (machine.clock() + timedelta(days=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
    )
    booking = book_while_away(machine, sandbox, device_id, wall)
    notice = told_of(machine, booking, device_id)
    check_in = wall.replace(tzinfo=ZoneInfo(zone))
    assert (notice.check_in, notice.time_zone, notice.wall_check_in) == (check_in, zone, None)
    assert notice.subject == f"Booking {booking.booking_id} on Room 7"
    assert check_in_text(notice) == f"{wall:%a %Y-%m-%d %H:%M} {zone}"
    # It is found by this time only.
    near = machine.arrivals(check_in - timedelta(minutes=1), check_in)
    assert [(each.booking_id, each.door_name) for each in near] == [(booking.booking_id, "Room 7")]
    later = check_in + timedelta(minutes=1)
    others = machine.arrivals(later, later + LONGEST_DOUBT)
    assert booking.booking_id not in {each.booking_id for each in others}


def test_an_unknown_zone(machine: Machine, sandbox: Sandbox) -> None:
    """The earliest moment decides the severity, and people read the wall time; later both are exact."""
    device_id = sandbox.door(name="Room 7", time_zone=LOS_ANGELES)
    wall = (machine.clock() + timedelta(days=1)).replace(tzinfo=None, second=0, microsecond=0)
    booking = book_while_away(machine, sandbox, device_id, wall)
    notice = told_of(machine, booking, device_id)
    assert notice.check_in is not None
    assert notice.check_in == wall.replace(tzinfo=ZoneInfo("Etc/GMT-14"))
    assert check_in_text(notice) == f"{wall:%a %Y-%m-%d %H:%M}, time zone of the lock not known yet"
    # Until long after: in Los Angeles the guest is still to come.
    since = notice.check_in + timedelta(hours=20)
    (found,) = machine.arrivals(since, since + timedelta(hours=1))
    assert (found.booking_id, found.wall_check_in) == (booking.booking_id, wall)

    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    after = machine.until(booking, "ready", "waiting", every=timedelta(minutes=1))
    assert after.doors[0].time_zone == LOS_ANGELES
    check_in = wall.replace(tzinfo=ZoneInfo(LOS_ANGELES))
    (found,) = machine.arrivals(check_in, check_in)
    assert (found.check_in, found.wall_check_in) == (check_in, None)
    assert machine.arrivals(since, since) == []
