"""The real system that a recording is made of, driven from outside; and the settings that it has."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tests.stored.scenes import Scene
from tests.support.machine import Machine
from tests.support.waiting import wait_until
from tests.worker.channel_servers import TOKEN

SLACK_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
HOOK_SECRET: Final = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYWxlcnRz"
# Of a Standard Webhook that nobody takes: the discard port.
NOWHERE: Final = "http://127.0.0.1:9/away"
ALERTS_FILE: Final = """
channels:
  bot: {{type: slack_bot, token_env: BOT_TOKEN, channel: C1, api: "{slack}"}}
  away: {{type: webhook, url: "{away}", secret_env: HOOK_SECRET}}
routes:
  - {{channels: bot}}
  - {{channels: away, problems: [too_long, no_slot]}}
fallback: bot
group_window: 1s
rate: {{burst: 200, every: 1s}}
"""


def settings_for(directory: Path, *, slack: str, away: str = NOWHERE) -> dict[str, str]:
    """Write ALERTS_FILE, and return the settings of a system that alerts by two channels more than `oracode up`."""
    alerts, doors = directory.with_suffix(".alerts.yaml"), directory.with_suffix(".doors.yaml")
    alerts.write_text(ALERTS_FILE.format(slack=slack, away=away))
    return {
        "ALERTS_FILE": str(alerts),
        "DOORS_FILE": str(doors),
        "HOOK_SECRET": HOOK_SECRET,
        "BOT_TOKEN": TOKEN,
        "SLACK_SIGNING_SECRET": SLACK_SECRET,
        "LONG_STAYS": "split",
        "DOOR_CACHE_FOR": "20s",
        "RECLAIM_AFTER": "5s",
        "LOGNAME": "ann",
    }


def write_doors_file(directory: Path, units: Mapping[str, Iterable[str]], *, soon: timedelta) -> None:
    """Write the units; the codes of the unit "soon" are made that long before check-in."""
    lines = []
    for name, device_ids in units.items():
        lead = f", lead_time: {int(soon.total_seconds()) // 60}m" if name == "soon" else ""
        lines.append(
            f'"{name}": {{device_ids: [{", ".join(device_ids)}], check_in: 15:00, check_out: 10:00, tags: [vip]{lead}}}'
        )
    directory.with_suffix(".doors.yaml").write_text("\n".join(lines) + "\n")


class Stage:
    """One running system, and what was done to codes at Seam by hand."""

    def __init__(self, directory: Path, settings: Mapping[str, str], seam_port: int) -> None:
        self.machine = Machine(directory, settings)
        self._directory = directory
        self._seam_port = seam_port
        # By code: what it was before, and what happened to it.
        self._by_hand: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}

    def start(self) -> None:
        """Start everything."""
        self.machine.start("--seam-port", str(self._seam_port))

    def play(self, scenes: Iterable[Scene]) -> None:
        """Make the doors, publish the bookings one by one, and wait until each is where it is to be first."""
        scenes = list(scenes)
        for scene in scenes:
            self.publish(scene)
        for scene in scenes:
            print(f"{scene.booking_id}: {' '.join(scene.first)}", flush=True)
            self.wait(scene.booking_id, *scene.first)

    def publish(self, scene: Scene) -> None:
        """Make the scene's doors and faults, and publish its booking."""
        for door in scene.doors:
            if "slots" in door:
                self.machine.seam("POST", "/sandbox/devices", dict(door))
            if door.get("tod_style") == "bare":
                self._take_zone_from(door["device_id"])
        for fault in scene.faults:
            self.machine.seam("POST", "/sandbox/faults", {**fault, "device_id": scene.doors[0]["device_id"]})
        self.append(f"message-{scene.booking_id}", scene.booking)

    def append(self, message_id: str, booking: Mapping[str, Any], kind: str = "booking.created") -> str:
        """Append a booking message with a fixed id."""
        envelope = {"specversion": "1.0", "id": message_id, "source": "/recorded", "type": kind, "data": dict(booking)}
        with self.machine.redis() as redis:
            return str(redis.xadd("booking-created", {"message": json.dumps(envelope)}))

    def wait(self, booking_id: str, state: str, reason: str, *, within: float = 60.0) -> dict[str, Any]:
        """Wait until the booking is in this state for this reason, and return it."""

        def stands() -> dict[str, Any] | None:
            found = self.machine.booking(booking_id)
            return found if (found.get("state"), found.get("reason")) == (state, reason) else None

        try:
            return wait_until(stands, within=within, what=f"{booking_id}: {state} {reason}") or {}
        except AssertionError as error:
            found = self.machine.booking(booking_id)
            found.pop("history", None)
            raise AssertionError(f"{error}; it is {found}") from error

    def code_of(self, booking_id: str) -> str:
        """Return the id of the booking's code."""
        return str(self.machine.booking(booking_id)["devices"][0]["access_code_id"])

    def by_hand(self, booking_id: str, **what: Any) -> None:
        """Let something happen to a booking's code at Seam."""
        code_id = self.code_of(booking_id)
        before = next(each for each in self._codes() if each["access_code_id"] == code_id)
        self._by_hand.setdefault(code_id, (before, []))[1].append(what)
        self.machine.seam("PATCH", f"/sandbox/access_codes/{code_id}", what)

    def oracode(self, *arguments: str) -> str:
        """Run a command that must succeed."""
        ran = self.machine.oracode(*arguments)
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
        return ran.stdout

    def seam_as_it_is(self) -> dict[str, Any]:
        """Return the doors and codes at Seam in words that its own calls understand; never a PIN."""
        doors = []
        for door in self.machine.seam("GET", "/sandbox/devices")["devices"]:
            spec = door["spec"]
            doors.append({"device": door["device"]} if spec is None else _only_given(spec))
        codes = []
        for code in self._codes():
            before, happened = self._by_hand.get(code["access_code_id"], (code, []))
            if code["phase"] == "gone":
                continue
            codes.append(
                {
                    "access_code_id": code["access_code_id"],
                    **{name: before[name] for name in ("device_id", "name", "starts_at", "ends_at")},
                    **({"then": happened} if happened else {}),
                }
            )
        return {"doors": doors, "codes": codes}

    def _codes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.machine.seam("GET", "/sandbox/access_codes")["access_codes"]
        return found

    def _take_zone_from(self, device_id: str) -> None:
        devices = self.machine.seam("GET", "/sandbox/devices")["devices"]
        (device,) = [each["device"] for each in devices if each["device_id"] == device_id]
        del device["properties"]["dormakaba_oracode_metadata"]["iana_timezone"]
        device["location"] = {"location_name": "Nowhere"}
        self.machine.seam("PATCH", f"/sandbox/devices/{device_id}", {"device": device})


def _only_given(spec: dict[str, Any]) -> dict[str, Any]:
    kept = ("device_id", "name", "time_zone", "slots")
    usual = {"offline_codes": True, "tod_style": "zone", "prefix_field": "ext", "no_slot_behaviour": "refuse"}
    more = {
        name: value
        for name, value in spec.items()
        if name not in kept and name != "code_flags" and value not in (None, False, usual.get(name))
    }
    offline = {"offline_codes": False} if spec["offline_codes"] is False else {}
    slots = [{name: value for name, value in slot.items() if value not in (None, False, 0)} for slot in spec["slots"]]
    return {**{name: spec[name] for name in kept}, "slots": slots, **more, **offline}
