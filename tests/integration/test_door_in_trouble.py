"""A door in trouble on the running system: an event has it read, people are told, and it is taken back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.sandbox.harness import in_days
from tests.support.machine import Machine
from tests.support.waiting import wait_until

MISMATCH = {"warning_code": "time_zone_mismatch", "message": "The zones differ."}


@contextmanager
def reported(machine: Machine, device_id: str, *warnings: dict[str, str]) -> Iterator[None]:
    """Have Seam report warnings of a door, and tell of it by an event; and take them back."""
    (device,) = [
        each["device"] for each in machine.seam("GET", "/sandbox/devices")["devices"] if each["device_id"] == device_id
    ]

    def report(listed: list[Any]) -> None:
        machine.seam("PATCH", f"/sandbox/devices/{device_id}", {"device": {**device, "warnings": listed}})
        metadata = {"device_custom_metadata": {"owner": "Ann"}}
        machine.seam(
            "POST", "/sandbox/events", {"event_type": "device.name_changed", "device_id": device_id, **metadata}
        )

    report(list(warnings))
    try:
        yield
    finally:
        report([])


def told(machine: Machine, device_id: str) -> list[str]:
    """Return what people were told of the door, in order."""
    return [each["status"] for each in machine.alerts() if each["key"] == f"door/{device_id}/trouble"]


def test_a_door_in_trouble(machine: Machine) -> None:
    """Its guest's arrival is at risk, the doctor and the picture of its slots say why; then all is well again."""
    door = machine.add_door(("16:00", "10:00"))
    booking_id = machine.publish(
        device_ids=[door], check_in=in_days(1, "15:45:00", offset=""), check_out=in_days(3, "10:15:00", offset="")
    )
    machine.wait_for(booking_id, "ready")
    with reported(machine, door, MISMATCH):
        wait_until(lambda: told(machine, door), what="the alert", within=30)
        (arrival,) = [each for each in arrivals(machine) if each["booking_id"] == booking_id]
        assert (arrival["readiness"], arrival["reason"]) == ("at risk", "door_trouble")
        assert [(each["code"], each["blocks"]) for each in arrival["issues"]] == [("time_zone_mismatch", True)]
        answer = machine.oracode("doctor", "--json")
        assert answer.returncode == 1
        (finding,) = [each for each in map(json.loads, answer.stdout.splitlines()) if door in each["subject"]]
        assert (finding["verdict"], finding["issues"]) == ("bad", arrival["issues"])
        slots = machine.oracode("slots", door).stdout
        assert slots.index("time_zone_mismatch") < slots.index("00    03")
        assert machine.booking(booking_id)["state"] == "ready"
    wait_until(lambda: told(machine, door)[-1:] == ["resolved"], what="its end", within=30)
    assert told(machine, door) == ["open", "resolved"]
    (arrival,) = [each for each in arrivals(machine) if each["booking_id"] == booking_id]
    assert arrival["readiness"] == "ready"


def arrivals(machine: Machine) -> list[dict[str, Any]]:
    """Return what `oracode arrivals` lists."""
    return [json.loads(line) for line in machine.oracode("arrivals", "--json").stdout.splitlines()]
