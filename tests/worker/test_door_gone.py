"""A door with bookings to come is removed at Seam: told once, shown in the arrivals, ended by itself."""

from datetime import timedelta

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.arrivals import Arrival
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def alert_of(machine: Machine, device_id: str) -> Alert | None:
    """Return the door's alert."""
    return machine.alerts.get(f"door/{device_id}/gone")


def arrivals(machine: Machine) -> list[Arrival]:
    """Return the arrivals of the next days."""
    now = machine.clock()
    return machine.arrivals(now, now + timedelta(days=4))


def test_a_door_that_is_gone_is_told_until_it_is_read_again(machine: Machine, sandbox: Sandbox) -> None:
    """Also for a ready booking, although its state says that all is well."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}")
    for _ in range(2):
        machine.handlers.refresh_door(device_id)
    alert = alert_of(machine, device_id)
    assert alert is not None
    assert alert.is_open
    assert (alert.notice.problem, alert.sequence) == ("door_gone", 1)
    assert alert.notice.check_in == booking.doors[0].check_in
    assert alert.notice.device_id == device_id
    assert [(each.readiness, each.reason) for each in arrivals(machine)] == [("at risk", "door_gone")]

    sandbox.door(device_id=device_id)
    machine.handlers.refresh_door(device_id)
    alert = alert_of(machine, device_id)
    assert alert is not None
    assert not alert.is_open
    assert [each.readiness for each in arrivals(machine)] == ["ready"]


def test_the_alert_ends_when_no_stay_is_left(machine: Machine, sandbox: Sandbox) -> None:
    """While it is open, the door is read again by itself, even if no booking would prompt that."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}")
    machine.handlers.refresh_door(device_id)
    machine.clock.move(timedelta(days=6))
    machine.sweep()
    alert = alert_of(machine, device_id)
    assert alert is not None
    assert not alert.is_open


def test_an_outage_of_seam_says_nothing_about_a_door(machine: Machine, sandbox: Sandbox) -> None:
    """Neither that it is gone, nor that it is back."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    assert alert_of(machine, device_id) is None
    sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}")
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    alert = alert_of(machine, device_id)
    assert alert is not None
    assert alert.is_open


def test_a_door_that_never_existed_is_told_by_its_booking_only(machine: Machine) -> None:
    """One problem, one alert."""
    booking = machine.book("d0000000-0000-0000-0000-000000000404")
    assert booking.reason == "device_not_found"
    machine.handlers.refresh_door("d0000000-0000-0000-0000-000000000404")
    assert alert_of(machine, "d0000000-0000-0000-0000-000000000404") is None
