"""Records what this version stores: `python -m tests.stored.record FILE`, three minutes.

The real system (`oracode up`) is driven through `tests.stored.scenes` and then killed at once, with work of every kind
under way. What its data server holds is written to FILE, with the doors and codes that Seam (the sandbox) had. Ids that
were made up at random are numbered instead. A recording is never made anew for a version that has one: a version that
stores something else gets a file of its own, beside the older ones.
"""

import argparse
import json
import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain import versions
from shared.ops_commands import RETRY
from shared.redis_client import connect
from shared.settings import Settings
from shared.streams import CONSUMER, GROUP
from tests.receiver.test_slack_actions import pressed
from tests.receiver.test_slack_actions import signed as signed_by_slack
from tests.receiver.web import event_of, signed
from tests.stored.dump import dump, pretty, renamed
from tests.stored.scenes import DRIFTED, SOON, ZONE, Scene, Script
from tests.support.leaks import leaks, secrets_of
from tests.support.machine import Machine
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.channel_servers import TOKEN, SlackApi
from tests.worker.recording_server import recording
from worker.assembly import build_handlers
from worker.ports import open_ports

SLACK_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
HOOK_SECRET: Final = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYWxlcnRz"
OUTCOMES: Final = "access-code-outcomes"
# The rest says nothing that these don't.
MOST_OUTCOMES: Final = 12
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
# As `oracode up` names what it makes up, and as Seam and we name things.
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_GIVEN: Final = ("d0000000-", "99999999-")


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


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def record(directory: Path, slack: str) -> dict[str, Any]:
    """Drive everything, kill it, and return what is to be kept."""
    seam_port = free_port()
    now = system_clock()
    script = Script(now)
    first, second = script.first_part(), script.second_part()
    doubtful, last, late = script.doubtful_part(), script.last_part(), script.late_part()
    settings = settings_for(directory, slack=slack)
    check_in = datetime.fromisoformat(next(e for e in second if e.booking_id == "SCHEDULED-SOON").booking["check_in"])
    write_doors_file(directory, script.units, soon=check_in.replace(tzinfo=ZONE) - now - SOON)

    it = Stage(directory, {**settings, "LONG_STAYS": "refuse", "RECLAIM_AFTER": "2s"}, seam_port)
    it.start()
    it.play(first)
    _poison(it, script)
    for booking_id in ("ENDED", "FORGOTTEN"):
        it.wait(booking_id, "ended", "", within=90)
    it.machine.stop(signal.SIGKILL)
    _forget(it, "FORGOTTEN")

    again = Stage(directory, settings, seam_port)
    again.start()
    again.play(second)
    again.play(script.third_part())
    _happen(again, script)
    _park(again, script)
    _doubt(again, doubtful)
    _tell(again)
    _wait_for_parent(again)
    # From here on nobody waits for what isn't done.
    again.play(last)
    _keep_outbox(again, late[0])
    recorded_at = _leave_unread(again, *late[1:])
    seam = again.seam_as_it_is()
    secrets = secrets_of(again.machine)
    _kill(again.machine)
    keys = _keys(directory)
    content: dict[str, Any] = {
        "about": "What a system stored that was killed: see tests/stored/record.py. Never edited, never made anew.",
        "recorded_at": recorded_at.isoformat(),
        "zone": ZONE.key,
        "units": script.units,
        "versions": {
            name: getattr(versions, name) for name in dir(versions) if name.isupper() and name != "NOT_IN_JSON"
        },
        "seam": seam,
        "keys": keys,
    }
    content = _numbered(content)
    content["keys"] = dict(sorted(content["keys"].items()))
    text = pretty(content)
    found = leaks([*secrets[0], *secrets[1], HOOK_SECRET, TOKEN, SLACK_SECRET], {"recording": text})
    assert found == [], found
    for private in (str(directory), str(Path.home()), socket.gethostname()):
        assert private not in text, private
    return content


def _poison(it: Stage, script: Script) -> None:
    """Let a booking fail again and again where nothing catches it, until its work is put aside."""
    with it.machine.redis() as redis:
        wait_until(lambda: redis.exists(OUTCOMES), what="outcomes")
        redis.rename(OUTCOMES, "aside")
        redis.set(OUTCOMES, "no stream")
        scene = script.scene("POISON", ("ready", "internal_error"))
        it.publish(scene)

        def is_put_aside() -> bool:
            return it.machine.booking("POISON").get("reason") == "internal_error" or any(
                door["reason"] == "internal_error" for door in it.machine.booking("POISON").get("devices", [])
            )

        wait_until(is_put_aside, within=120, what="POISON put aside")
        redis.rename("aside", OUTCOMES)


def _forget(it: Stage, booking_id: str) -> None:
    """Let the booking's work be done once more, by our own code, long after its check-out."""
    server = DataServer(it.machine.directory / "redis")
    server.start()
    settings = Settings.model_validate({"redis_url": server.url, "seam_api_key": "seam_unused"})

    def clock() -> datetime:
        return system_clock() + settings.retention + timedelta(days=1)

    later = build_handlers(
        settings,
        open_ports(settings, clock=clock),
        channels=(),
        units={},
        look=lambda _booking_id, _door: None,
        clock=clock,
    )
    redis = connect(server.url)
    (door,) = it.machine.ledger(redis).get(booking_id).doors
    later.advance_door(booking_id, door.key)
    assert it.machine.ledger(redis).get(booking_id).is_forgotten
    server.stop()


def _happen(it: Stage, script: Script) -> None:
    """Change what is there: codes by hand, doors by the installer, bookings by the guest, and choices by people."""
    doors = {each["booking_id"]: each["devices"][0]["device_id"] for each in _listed(it)}
    it.by_hand("READY-PIN", simulate="code_changed")
    it.by_hand("READY-REVEALED", simulate="code_changed")
    it.by_hand("READY-MOVED", simulate="time_frame_changed")
    it.by_hand("FAILED-GONE", simulate="removed")
    it.by_hand("FAILED-UNMANAGED", simulate="converted_to_unmanaged")
    it.by_hand("FAILED-NO-SPACE", simulate="no_space")
    for booking_id, state, reason in (
        ("READY-MOVED", "ready", "window_differs"),
        ("FAILED-GONE", "failed", "code_gone"),
        ("FAILED-UNMANAGED", "failed", "code_unmanaged"),
        ("FAILED-NO-SPACE", "failed", "code_problem"),
    ):
        it.wait(booking_id, state, reason)
    it.oracode("bookings", "choose", "READY-CHOSEN", "Day use", "--by", "ann")
    it.wait("READY-CHOSEN", "ready", "")
    (slot,) = _slots_of(it, doors["READY-DRIFTED"])
    it.machine.seam("PATCH", f"/sandbox/devices/{doors['READY-DRIFTED']}", {"slots": [{**slot, **DRIFTED}]})
    # Doors are read every half hour, and whenever somebody is to arrive anew: but not while they are remembered.
    with it.machine.redis() as redis:
        remembered = redis_keys.door_device(doors["READY-DRIFTED"])
        wait_until(lambda: not redis.exists(remembered), within=60, what="the door is forgotten")
    drifted = script.scene(
        "WAITING-DRIFTED", ("waiting", "no_slot"), {"device_id": doors["READY-DRIFTED"]}, **script.stay(10, 12)
    )
    it.play([drifted])
    it.append(
        "update-CHANGED",
        {"booking_id": "CHANGED", "revision": 2, "device_ids": [doors["CHANGED"]], **script.stay(6, 9)},
        "booking.updated",
    )
    it.append("cancel-1", {"booking_id": "CANCELLED-RESIDUAL", "revision": 2}, "booking.cancelled")
    it.append("cancel-2", {"booking_id": "CANCELLED-CLEAN"}, "booking.cancelled")
    for booking_id in ("CANCELLED-RESIDUAL", "CANCELLED-CLEAN"):
        it.wait(booking_id, "cancelled", "")
    wait_until(lambda: it.machine.booking("CHANGED").get("residual_access_until"), what="residual access")
    it.wait("CHANGED", "ready", "")
    wait_until(lambda: _has(it, "booking/READY-DRIFTED/slot_changed"), within=60, what="the drift is told")
    for booking_id in ("READY-PIN", "READY-REVEALED"):
        wait_until(lambda booking_id=booking_id: _has(it, f"booking/{booking_id}/pin_changed"), what="the PIN is told")  # type: ignore[misc]
    it.oracode("codes", "reveal", "READY-REVEALED", "--by", "ann")


def _slots_of(it: Stage, device_id: str) -> list[dict[str, Any]]:
    devices = it.machine.seam("GET", "/sandbox/devices")["devices"]
    (found,) = [each["spec"]["slots"] for each in devices if each["device_id"] == device_id]
    return list(found)


def _listed(it: Stage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in it.oracode("bookings", "list", "--json").splitlines()]


def _alerts(it: Stage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in it.oracode("alerts", "list", "--all", "--json").splitlines()]


def _has(it: Stage, key: str) -> bool:
    return any(each["key"].startswith(key) for each in _alerts(it))


def _park(it: Stage, script: Script) -> None:
    """Let in what can't be used: bookings, webhooks, events; one of them only until somebody adds a unit."""
    unit = script.scene("PARKED-UNIT", ("", ""), unit="new wing")
    script.units.pop("new wing")
    it.append("message-PARKED-UNIT", unit.booking)
    it.machine.seam("POST", "/sandbox/devices", dict(unit.doors[0]))
    bad = {"booking_id": "PARKED-DATES", "device_ids": [unit.doors[0]["device_id"]]}
    it.append("message-PARKED-DATES", {**bad, "check_in": "2026-02-30", "check_out": "12/01/2026"})
    run = it.machine.run()
    with it.machine.redis() as redis:
        redis.xadd("booking-created", {"message": "no JSON, and ünïcode"})
        redis.xadd("booking-created", {"message": b"\xff\xfe"})
        redis.xadd("seam-events", {"event": "no event"})
        redis.zadd(redis_keys.DUE, {'["invoice","of a newer version"]': system_clock().timestamp() * 1000})
        for stream in (
            "parked by web",
            '{"event_type": "access_code.created"}',
            '{"event_type": "lock.locked", "event_id": "e0000000-0000-4000-8000-000000000001"}',
        ):
            body = stream.encode()
            headers = httpx.Headers(signed(body, secret=run["webhook_secret"]))
            httpx.post(f"{run['web_url']}/webhooks/seam", content=body, headers=headers).raise_for_status()
        wait_until(lambda: redis.xlen(redis_keys.PARKED) >= 7, what="all parked")
        wait_until(lambda: redis.exists(redis_keys.LEFT), what="work left to a newer version")


def _doubt(it: Stage, scenes: tuple[Scene, ...]) -> None:
    """Let creates end in doubt, and Seam not answer who looks for them."""
    for scene in scenes:
        it.publish(scene)
        device_id = scene.doors[0]["device_id"]

        def is_sent(device_id: str = device_id) -> bool:
            faults = it.machine.seam("GET", "/sandbox/faults")["faults"]
            return any(each["device_id"] == device_id and each["fired"] for each in faults)

        wait_until(is_sent, what="the create is sent")
        fault = {"operation": "access_codes.list", "kind": "error_before", "times": None, "device_id": device_id}
        it.machine.seam("POST", "/sandbox/faults", fault)


def _tell(it: Stage) -> None:
    """Do with alerts what people do; and read outcomes as a booking system does."""
    keys = {each["key"]: each for each in _alerts(it)}
    handled = next(key for key in keys if key.startswith("booking/FAILED-REFUSED/"))
    it.oracode("alerts", "handle", handled, "--by", "ann")
    it.oracode("alerts", "silence", "--for", "30d", "--booking", "WAITING-BARE", "--why", "the installer comes")
    with it.machine.redis() as redis:
        newest: Any = redis.xrevrange(OUTCOMES, count=6)
        redis.xgroup_create(OUTCOMES, "booking-system", id=newest[-1][0])
        read: Any = redis.xreadgroup("booking-system", "reader-1", {OUTCOMES: ">"}, count=3)
        redis.xack(OUTCOMES, "booking-system", read[0][1][0][0])


def _wait_for_parent(it: Stage) -> None:
    """Wait until people were told of Seam instead of each booking in doubt."""

    def is_open() -> bool:
        return any(each["key"] == "seam/unavailable" and each["hit"] == 2 for each in _alerts(it))

    wait_until(is_open, within=120, what="the parent")


def _keep_outbox(it: Stage, scene: Scene) -> None:
    """Let a booking keep what it has to tell: outcomes can't be written, and its work fails once and again."""
    with it.machine.redis() as redis:
        redis.rename(OUTCOMES, "aside")
        redis.set(OUTCOMES, "no stream")
        it.publish(scene)
        wait_until(
            lambda: redis.hlen(redis_keys.CLAIMS) and it.machine.booking(scene.booking_id), within=30, what="claims"
        )
        wait_until(
            lambda: any("OUTBOX" in each for each in redis.hgetall(redis_keys.CLAIMS)), within=30, what="it is claimed"
        )


def _leave_unread(it: Stage, pending: Scene, unread: Scene) -> datetime:
    """Stop whoever reads, and let more come: read and not done, and not read at all. Return when that was."""
    run = it.machine.run()
    for name in ("worker", "beat"):
        os.kill(run["pids"][name], signal.SIGSTOP)
    with it.machine.redis() as redis:
        it.publish(pending)
        # Where a reader that is stopped was waiting, it has been given the entry already.
        redis.xreadgroup(GROUP, CONSUMER, {"booking-created": ">"})
        entries: Any = redis.xpending_range("booking-created", GROUP, "-", "+", 10)
        ids = [each["message_id"] for each in entries]
        assert len(ids) == 1
        redis.xclaim("booking-created", GROUP, CONSUMER, 0, ids, retrycount=2, justid=True)
        it.publish(unread)
        redis.xadd("seam-events", {"event": b"\xff"})
        code_id = it.code_of("READY-PLAIN")
        event = json.dumps(event_of("access_code.set_on_device", access_code_id=code_id, device_id="d")).encode()
        headers = httpx.Headers(signed(event, secret=run["webhook_secret"]))
        httpx.post(f"{run['web_url']}/webhooks/seam", content=event, headers=headers).raise_for_status()
        body = pressed((RETRY, "FAILED-REFUSED"))
        headers = httpx.Headers(signed_by_slack(body))
        httpx.post(f"{run['web_url']}/slack/actions", content=body, headers=headers).raise_for_status()
    return system_clock()


def _kill(machine: Machine) -> None:
    """End everything at once, what is stopped too."""
    pids = machine.run()["pids"]
    machine.stop(signal.SIGKILL)
    for name in ("worker", "beat"):
        try:
            os.kill(pids[name], signal.SIGKILL)
        except ProcessLookupError:
            continue


def _keys(directory: Path) -> dict[str, Any]:
    server = DataServer(directory / "redis")
    server.start()
    with Redis.from_url(server.url) as redis:
        redis.rename("aside", OUTCOMES)
        redis.xtrim(OUTCOMES, maxlen=MOST_OUTCOMES, approximate=False)
        keys = dump(redis)
    server.stop()
    return keys


def _numbered(content: dict[str, Any]) -> dict[str, Any]:
    """Return everything with ids that were made up at random numbered, those of codes in the order of their making."""
    names = {
        code["access_code_id"]: f"c0de0000-0000-4000-8000-{n:012}" for n, code in enumerate(content["seam"]["codes"], 1)
    }
    text = json.dumps(content, ensure_ascii=False)
    others = dict.fromkeys(
        found for found in _UUID.findall(text) if found not in names and not found.startswith(_GIVEN)
    )
    names |= {found: f"a0000000-0000-4000-8000-{n:012}" for n, found in enumerate(others, 1)}
    named: dict[str, Any] = renamed(content, names)
    return named


def main() -> None:
    """Record into the file that is named."""
    options = argparse.ArgumentParser(prog="python -m tests.stored.record", description="Record what is stored.")
    options.add_argument("file", type=Path, help="a new file, tests/stored/recordings/version_….json")
    path: Path = options.parse_args().file
    if path.exists():
        options.error(f"{path} exists, and a recording is never made anew")
    with tempfile.TemporaryDirectory() as directory, recording(SlackApi()) as slack:
        content = record(Path(directory) / "data", slack.url)
    path.write_text(pretty(content))
    print(f"{path}: {path.stat().st_size // 1024} KiB, {len(content['keys'])} keys")


if __name__ == "__main__":
    main()
