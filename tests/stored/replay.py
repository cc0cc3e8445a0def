"""Puts a recording where today's system can be started on it: the keys, and the doors and codes that Seam had.

Days are moved so that the recording seems one hour to a day old. Seam's codes get new ids when they are made again at
the sandbox, and these take the place of the recorded ones in everything that is loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from redis import Redis

from shared.clock import system_clock
from tests.sandbox.harness import Sandbox
from tests.stored.dump import load, moved_by, renamed
from tests.support.server import DataServer

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording, its days moved; `today` is the day at the doors on which it seems to have been made."""

    content: Mapping[str, Any]
    today: date

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """Read a recording, as if it had been made within the last day."""
        content = json.loads(path.read_text())
        recorded_at = datetime.fromisoformat(content["recorded_at"])
        days = (system_clock() - recorded_at - timedelta(hours=1)) // timedelta(days=1)
        moved = moved_by(content, days)
        zone = ZoneInfo(content["zone"])
        return cls(moved, datetime.fromisoformat(moved["recorded_at"]).astimezone(zone).date())

    @property
    def keys(self) -> dict[str, Any]:
        """Every key with what it holds."""
        keys: dict[str, Any] = self.content["keys"]
        return keys

    def at(self, days: int, clock: str) -> str:
        """Return a moment at the doors, some days after `today`."""
        return f"{self.today + timedelta(days=days)}T{clock}-07:00"

    def write_doors_file(self, directory: Path, **more: list[str]) -> None:
        """Write the DOORS_FILE of the recording, with more units; codes of the unit "soon" are made at once."""
        from tests.stored.stage import write_doors_file  # noqa: PLC0415 - whoever only reads needs no recorder

        write_doors_file(directory, {**self.content["units"], **more}, soon=timedelta(days=30))


def put(recording: Recording, directory: Path) -> dict[str, str]:
    """Fill the data directory of an `oracode up` that never ran; return the new ids of codes by the recorded ones."""
    directory.mkdir(mode=0o700)
    with Sandbox("--step", "0", data=directory / "sandbox.sqlite") as sandbox:
        codes = _put_at_seam(sandbox, recording.content["seam"])
    server = DataServer(directory / "redis")
    server.start()
    with Redis.from_url(server.url) as redis:
        load(redis, renamed(recording.keys, codes))
    server.stop()
    return codes


def _put_at_seam(sandbox: Sandbox, seam: Mapping[str, Any]) -> dict[str, str]:
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": False})
    doors = {_id_of(door): door for door in seam["doors"]}
    for door in seam["doors"]:
        sandbox.arrange("POST", "/sandbox/devices", door)
    codes: dict[str, str] = {}
    for code in seam["codes"]:
        if datetime.fromisoformat(code["ends_at"]) <= system_clock():
            continue
        door = doors[code["device_id"]]
        answer = sandbox.create(**_create(code))
        if answer.status_code == 400:
            # The slot that it was made for is gone from the door: it comes back for a moment.
            slots = [*door["slots"], _slot_for(code, door)]
            sandbox.arrange("PATCH", f"/sandbox/devices/{code['device_id']}", {"slots": slots})
            answer = sandbox.create(**_create(code))
            sandbox.arrange("PATCH", f"/sandbox/devices/{code['device_id']}", {"slots": door["slots"]})
        assert answer.status_code == 200, (code, answer.text)
        made = str(answer.json()["access_code"]["access_code_id"])
        codes[code["access_code_id"]] = made
        for happened in code.get("then", ()):
            sandbox.arrange("PATCH", f"/sandbox/access_codes/{made}", happened)
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": True, "step_seconds": 1.0})
    return codes


def _create(code: Mapping[str, Any]) -> dict[str, Any]:
    rounding = {"max_time_rounding": "1day"} if code["starts_at"][11:] == code["ends_at"][11:] else {}
    return {name: code[name] for name in ("device_id", "name", "starts_at", "ends_at")} | rounding


def _slot_for(code: Mapping[str, Any], door: Mapping[str, Any]) -> dict[str, str]:
    zone = ZoneInfo(door["time_zone"])
    times = (datetime.fromisoformat(code[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    check_in, check_out = (f"{moment:%H:%M}" for moment in times)
    return {"name": "For a moment", "check_in": check_in, "check_out": check_out}


def _id_of(door: Mapping[str, Any]) -> str:
    return str(door.get("device_id") or door["device"]["device_id"])
