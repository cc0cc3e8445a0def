"""What Seam's schema says of codes, doors and accounts, at the running system and an independent judge (A to I)."""

import json
from typing import Any

import pytest

from tests.sandbox.harness import in_days
from tests.standin.conftest import Stage
from tests.standin.seam import Object, error, fail, warning
from tests.support.waiting import wait_until

REMOVED = {"change_type": "removed"}
AT = "2026-11-01T10:00:00.000Z"
DELETING = [{"mutation_code": "deleting", "message": "Under way.", "created_at": AT}]
UPDATING = [{"mutation_code": "updating_time_frame", "message": "Under way.", "created_at": AT, "from": {}, "to": {}}]
CODE_TROUBLE: list[tuple[str, dict[str, Any], tuple[str, str], str]] = [
    # A: Seam sets the code again, unless it says that the removal stands; without a word on it, it may.
    (
        "A1",
        {"errors": [error("conflicting_external_modification", **REMOVED)], "status": "unset"},
        ("issued", "code_problem"),
        "Seam sets it again",
    ),
    (
        "A2",
        {"warnings": [warning("external_modification_in_effect", **REMOVED)]},
        ("failed", "removed_outside"),
        "Seam does not set it again",
    ),
    ("A3", {"warnings": [warning("external_modification_in_effect")]}, ("issued", "changed_outside"), "does not say"),
    (
        "A4",
        {
            "warnings": [
                warning(
                    "external_modification_in_effect",
                    change_type="modified",
                    modified_fields=[{"field": "code", "from": "240007", "to": "733251"}],
                )
            ]
        },
        ("ready", "changed_outside"),
        "changed: its PIN",
    ),
    (
        "A5",
        {
            "warnings": [
                warning(
                    "external_modification_in_effect",
                    change_type="modified",
                    modified_fields=[{"field": "ends_at", "from": None, "to": in_days(3, "10:00:00")}],
                )
            ]
        },
        ("issued", "window_differs"),
        "changed: its end (now",
    ),
    # B and I: what Seam goes on trying is `issued`, what it has given up `failed`; a new error is told, too.
    ("B1", {"errors": [error("failed_to_update")]}, ("issued", "code_problem"), "not taken the last change"),
    ("B2", {"errors": [error("of_tomorrow")]}, ("failed", "code_problem"), "Details of of_tomorrow"),
    ("B3", {"errors": [error("access_code_inactive")]}, ("failed", "code_problem"), "disabled at the lock"),
    ("B4", {"errors": [error("failed_to_delete")]}, ("ready", "code_problem"), "although its time is over"),
    (
        "B5",
        {"warnings": [warning("third_party_integration_detected")]},
        ("ready", "code_problem"),
        "system programs this lock too",
    ),
    ("I1", {"errors": [error("device_disconnected")]}, ("issued", "code_problem"), "has lost the door"),
    ("I2", {"errors": [error("dormakaba_sites_disconnected")]}, ("issued", "code_problem"), "dormakaba's support"),
    # F and G.
    ("F1", {"status": "unknown"}, ("issued", "code_problem"), "does not know the state of the code"),
    ("G1", {"pending_mutations": DELETING}, ("issued", "code_problem"), "Seam is deleting the code"),
    # What a code says of itself: its times and its PIN.
    ("T1", {"starts_at": None, "ends_at": None}, ("issued", "window_differs"), "names no start or no end"),
    ("T2", {"ends_at": in_days(3, "10:00:00")}, ("issued", "window_differs"), "Asked for"),
    ("P1", {"code": None}, ("issued", ""), ""),
]


def test_trouble_of_a_code(stage: Stage) -> None:
    """Each has its state and words, a retry makes nothing, and `ready` comes back by itself."""
    for number, (booking_id, *_) in enumerate(CODE_TROUBLE):
        stage.book(booking_id, stage.doors[number % 4])
    for booking_id, *_ in CODE_TROUBLE:
        stage.until(booking_id, "ready")
    whole = {booking_id: dict(stage.seam.code_of(booking_id)) for booking_id, *_ in CODE_TROUBLE}
    for booking_id, said, *_ in CODE_TROUBLE:
        stage.seam.say(booking_id, **said)
    for booking_id, _, (state, reason), words in CODE_TROUBLE:
        stage.until(booking_id, state, reason)
        if reason:
            alert = stage.told(booking_id, reason, words)
            assert alert["next_step"]
            assert "733251" not in json.dumps(alert)
    # The guest's PIN is another: people and the booking system are told.
    stage.told("A4", "pin_changed")
    (device,) = stage.machine.booking("A4")["devices"]
    assert device["pin_changed"]
    (device,) = stage.machine.booking("A5")["devices"]
    assert device["ends_at"].startswith(in_days(3, "11:00:00")[:10])
    assert stage.machine.oracode("bookings", "retry", "A1").returncode == 0
    for booking_id, *_ in CODE_TROUBLE:
        stage.seam.say(booking_id, **whole[booking_id])
    for booking_id, *_ in CODE_TROUBLE:
        stage.until(booking_id, "ready")
        assert stage.creates(booking_id) == 1


def test_trouble_of_doors_and_accounts(stage: Stage) -> None:
    """C, F: one alert each, doctor and slots tell it; an unknown state names the account's issue as its cause.

    What is gone is told as well: a deleted account and a deleted door. No code is made or forgotten for that.
    """
    lodge, house = (stage.seam.add_account(name) for name in ("Lodge", "Old house"))
    odd, lost, old = (stage.seam.add_door(of, name) for of, name in ((lodge, "Odd"), (lodge, "Lost"), (house, "Old")))
    removed = stage.doors[5]
    for booking_id, door in (("C1", odd), ("C2", lost), ("C3", old), ("C4", removed)):
        stage.book(booking_id, door)
    for booking_id in ("C1", "C2", "C3", "C4"):
        stage.until(booking_id, "ready")
    device, account = stage.seam.devices[odd], stage.seam.accounts[lodge]
    device["warnings"] = [warning("time_zone_mismatch"), warning("third_party_integration_detected")]
    account["errors"] = [error("dormakaba_sites_disconnected", is_connected_account_error=True)]
    account["warnings"] = [warning("dormakaba_sites_unapproved")]
    stage.seam.tell("connected_account.disconnected", connected_account_id=lodge)
    del stage.seam.accounts[house]
    stage.seam.tell("connected_account.deleted", connected_account_id=house)
    gone = stage.seam.devices.pop(removed)
    stage.seam.tell("device.deleted", device_id=removed, connected_account_id=gone["connected_account_id"])

    stage.told(odd, "time_zone_mismatch", "third_party_integration_detected")
    of_account = stage.told(lodge, "dormakaba_sites_disconnected", "dormakaba_sites_unapproved")
    assert all(booking_id in of_account["affects"] for booking_id in ("C1", "C2")), of_account
    stage.told(house, "no such connected account any more")
    stage.told(removed, "door_gone")
    stage.seam.say("C2", status="unknown")
    stage.until("C2", "issued", "code_problem")
    assert "has cut the site off from Seam" in stage.machine.oracode("bookings", "show", "C2").stdout
    found = stage.doctor()
    assert {found[f"{name}"]["verdict"] for name in (f"account {lodge}", f"account {house}", f"door {removed}")} == {
        "bad"
    }
    (of_door,) = [each for subject, each in found.items() if odd in subject]
    assert "time_zone_mismatch" in of_door["text"]
    assert "third_party_integration_detected" in stage.machine.oracode("slots", odd).stdout
    assert (stage.stands("C3"), stage.stands("C4")) == (("ready", ""), ("ready", ""))

    device["warnings"], account["errors"], account["warnings"] = [], [], []
    stage.seam.devices[removed] = gone
    stage.seam.tell("connected_account.connected", connected_account_id=lodge)
    stage.seam.say("C2")
    stage.told(lodge, "resolved")
    stage.until("C2", "ready")


def test_a_404_is_no_proof(stage: Stage) -> None:
    """D: an endpoint that the server doesn't know fails no booking; once it does, the code is made, once."""
    path = "/access_codes/unmanaged/list"
    stage.seam.faults[path] = (404, b'{"error": {"type": "not_found", "message": "No route."}, "ok": false}')
    stage.book("D1", stage.doors[4])
    wait_until(lambda: stage.story("D1", "door.try_failed"), what="a failed try")
    state, reason = stage.stands("D1")
    assert (state in ("scheduled", "creating"), reason) == (True, "seam_unexpected")
    del stage.seam.faults[path]
    stage.until("D1", "ready")
    assert stage.creates("D1") == 1


def test_taking_codes_back(stage: Stage) -> None:
    """E: accepted isn't done; a refusal, at once or later, is told with Seam's words, and not asked again."""
    pending: list[tuple[Object, Object]] = []
    kept = {"E1": True, "E2": False}
    for booking_id, is_cancellable in kept.items():
        stage.ready(booking_id, stage.doors[4])
        metadata = stage.seam.code_of(booking_id)["dormakaba_oracode_metadata"]
        metadata.update(is_cancellable=is_cancellable, is_overridable=not is_cancellable)
    done, stage.seam.on_delete = stage.seam.on_delete, lambda code, attempt: pending.append((code, attempt))
    for booking_id in kept:
        stage.cancel(booking_id)
        stage.until(booking_id, "cancelled")
        assert stage.machine.booking(booking_id)["residual_access_until"]
    wait_until(lambda: len(pending) == len(kept), what="both deletions")
    (first, first_attempt), (_, second_attempt) = pending
    fail(second_attempt, "The override budget 739158 is exhausted")
    done(first, first_attempt)
    stage.seam.on_delete = done
    wait_until(lambda: stage.story("E1", "code.removed"), what="the end of E1", within=30)
    assert stage.machine.booking("E1")["residual_access_until"] is None
    (text,) = wait_until(lambda: stage.story("E2", "code.not_revoked"), what="the failure", within=30)
    assert "The override budget ###### is exhausted" in text


def test_an_extension_that_fails_later(stage: Stage) -> None:
    """B: its action attempt ends in an error after Seam accepted it: not ready, and told with Seam's words."""
    attempts: list[Object] = []
    stage.ready("X1", stage.doors[4])
    done = stage.seam.on_update

    def accept(code: Object, _: Object, attempt: Object) -> None:
        code["pending_mutations"] = UPDATING
        attempts.append(attempt)

    stage.seam.on_update = accept
    stage.book("X1", stage.doors[4], nights=5, revision=1)
    wait_until(lambda: attempts, what="the update")
    stage.until("X1", "issued")
    # Only now: after a late answer the update is asked for again, and must be accepted in the same way.
    stage.seam.on_update = done
    for attempt in attempts:
        fail(attempt, "Stay 739158 cannot be extended")
    stage.seam.say("X1", "failed_to_update")
    stage.until("X1", "issued", "window_differs")
    stage.told("X1", "Seam says of the change", "Stay ###### cannot be extended")
    assert stage.story("X1", "code.not_changed")
    stage.seam.say("X1", "time_frame_changed", ends_at=in_days(7, "09:00:00"))
    stage.until("X1", "ready")
    assert stage.creates("X1") == 1


def test_a_device_id_that_is_none(stage: Stage) -> None:
    """H: said when the message is read; Seam is never asked."""
    stage.book("H1", "front-door")
    with stage.machine.redis() as redis:
        wait_until(lambda: redis.xlen("booking-created") == 0, what="the message")
    listed = stage.machine.oracode("parked", "list").stdout
    assert "H1" in listed
    assert "front-door" in listed
    assert not any("front-door" in json.dumps(asked) for _, asked in stage.seam.calls)


@pytest.mark.parametrize("said", ["no", "yes"])
def test_codes_test(stage: Stage, said: str) -> None:
    """A code for the next stay of a slot, followed until it is usable; or what Seam has against it."""
    door = stage.seam.add_door(stage.seam.add_account(f"Trial {said}"), f"Trial {said}")
    if said == "no":
        body = {"error": {"type": "invalid_input", "message": "No user level"}, "ok": False}
        stage.seam.faults["/access_codes/create"] = (400, json.dumps(body).encode())
    answer = stage.machine.oracode("codes", "test", door, "--yes", "--json")
    stage.seam.faults.clear()
    found = json.loads(answer.stdout)
    assert (found["outcome"], answer.returncode) == (("problem", 1) if said == "no" else ("usable", 0))
    assert ("No user level" in json.dumps(found.get("problems"))) == (said == "no")


def test_no_pin_is_anywhere(stage: Stage) -> None:
    """In no log, alert or stream: the PINs of all codes that the stand-in made."""
    pins = {str(code["code"]) for code in stage.seam.codes.values() if code["code"]}
    assert pins
    said = stage.machine.logs() + json.dumps(stage.seam.alerts)
    with stage.machine.redis() as redis:
        said += json.dumps([redis.xrange(name) for name in ("seam-events", "access-code-outcomes", "booking-created")])
    assert [pin for pin in pins if pin in said] == []
