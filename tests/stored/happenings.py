"""What happens to a system while it is recorded, so that its data server holds work of every kind."""

import json
import os
import signal
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from shared import redis_keys
from shared.clock import system_clock
from shared.ops_commands import RETRY
from shared.redis_client import connect
from shared.settings import Settings
from shared.streams import CONSUMER, GROUP
from tests.receiver.test_slack_actions import pressed
from tests.receiver.test_slack_actions import signed as signed_by_slack
from tests.receiver.web import event_of, signed
from tests.stored.scenes import DRIFTED, Scene, Script
from tests.stored.stage import Stage
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.assembly import build_handlers
from worker.ports import open_ports

OUTCOMES: Final = "access-code-outcomes"


def poison(it: Stage, script: Script) -> None:
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


def forget(it: Stage, booking_id: str) -> None:
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


def happen(it: Stage, script: Script) -> None:
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


def park(it: Stage, script: Script) -> None:
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
        wait_until(lambda: redis.exists(redis_keys.WORK_FOR_NEWER_VERSION), what="work left to a newer version")


def doubt(it: Stage, scenes: tuple[Scene, ...]) -> None:
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


def tell(it: Stage) -> None:
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


def wait_for_parent(it: Stage) -> None:
    """Wait until people were told of Seam instead of each booking in doubt."""

    def is_open() -> bool:
        return any(each["key"] == "seam/unavailable" and each["hit"] == 2 for each in _alerts(it))

    wait_until(is_open, within=120, what="the parent")


def keep_outbox(it: Stage, scene: Scene) -> None:
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


def leave_unread(it: Stage, pending: Scene, unread: Scene) -> datetime:
    """Freeze worker and beat, and let more messages come: some read and not done, some not read at all.

    Return when that was.
    """
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
