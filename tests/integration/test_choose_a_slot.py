"""No slot fits, a person presses a button: from the signed request through all processes to the code on the lock."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.clock import system_clock
from shared.domain.booking.record import Window
from shared.ops_commands import SlotOrder, button_for
from tests.receiver.test_slack_actions import pressed, signed
from tests.support.machine import Machine
from tests.support.waiting import wait_until


def _stuck(machine: Machine) -> tuple[str, str]:
    """Return a door, and a booking on it that waits for want of a slot."""
    door = machine.add_door(("18:00", "12:00"), ("07:00", "19:00"))
    today = system_clock().date()
    times = {"check_in": f"{today + timedelta(days=3)}T15:45", "check_out": f"{today + timedelta(days=6)}T10:15"}
    booking_id = machine.publish(device_ids=[door], **times)
    machine.wait_for(booking_id, "waiting")
    return door, booking_id


def _alerts(machine: Machine, booking_id: str, status: str) -> list[dict[str, Any]]:
    return [each for each in machine.alerts() if each["booking_id"] == booking_id and each["status"] == status]


def _press(machine: Machine, booking_id: str, choice: dict[str, Any], stamp: str) -> int:
    window = Window(datetime.fromisoformat(choice["starts_at"]), datetime.fromisoformat(choice["ends_at"]))
    button = button_for(booking_id, SlotOrder(door=choice["door"], slot=choice["slot"], window=window), 1)
    assert button is not None
    body = pressed(button, stamp=stamp)
    headers = httpx.Headers(signed(body))
    return httpx.post(f"{machine.run()['web_url']}/slack/actions", content=body, headers=headers).status_code


def test_a_press_becomes_a_code(machine: Machine) -> None:
    """What the alert offers is pressed, twice as Slack may send it: one code, and the alert's end says who did it."""
    door, booking_id = _stuck(machine)
    (alert, *_) = wait_until(lambda: _alerts(machine, booking_id, "open"), what="the alert")
    choice = alert["choices"][0]
    assert choice["name"] == "18:00-12:00"
    assert [_press(machine, booking_id, choice, booking_id) for _ in range(2)] == [200, 200]
    booking = machine.wait_for(booking_id, "ready")
    (code,) = machine.codes(door)
    assert datetime.fromisoformat(code["starts_at"]) == datetime.fromisoformat(choice["starts_at"])
    assert [each["by"] for each in booking["chosen_slots"]] == ["ann in Slack"]
    (over, *_) = wait_until(lambda: _alerts(machine, booking_id, "resolved"), what="the end of the alert")
    assert "ann in Slack chose the slot “18:00-12:00”." in over["next_step"]


def test_a_ledger_that_was_lost_finds_the_code_that_was_chosen_for(machine: Machine) -> None:
    """The same booking without its record, chosen again by the command line: adopted, not made anew."""
    door, booking_id = _stuck(machine)
    chosen = machine.oracode("bookings", "choose", booking_id, "18:00-12:00", "--by", "ann")
    assert (chosen.returncode, chosen.stderr) == (0, "")
    first = machine.wait_for(booking_id, "ready")
    with machine.redis() as redis:
        owned = [key for key in redis.scan_iter("*") if booking_id in key]
        redis.delete(*owned, *redis.scan_iter(f"*{first['devices'][0]['access_code_id']}*"))
    today = system_clock().date()
    times = {"check_in": f"{today + timedelta(days=3)}T15:45", "check_out": f"{today + timedelta(days=6)}T10:15"}
    machine.publish(booking_id=booking_id, device_ids=[door], **times)
    machine.wait_for(booking_id, "waiting")
    assert machine.oracode("bookings", "choose", booking_id, "18:00-12:00").returncode == 0
    again = machine.wait_for(booking_id, "ready")
    assert again["devices"][0]["access_code_id"] == first["devices"][0]["access_code_id"]
    assert "code.adopted" in [line["what"] for line in again["history"]]
    assert len(machine.codes(door)) == 1
