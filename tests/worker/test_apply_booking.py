"""Entries of the booking stream: applied, out of date or parked, and acknowledged in every case."""

import json
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import BOOKING_FIELD
from shared.domain.alerting.alert import Alert
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine

BAD: dict[str, str] = {
    "not JSON": "oops",
    "a list": "[]",
    "no fields": "{}",
    "many problems": json.dumps({"booking_id": "", "device_ids": [], "check_in": "tomorrow"}),
    "an unknown unit": json.dumps(
        {"booking_id": "BK-1", "unit": "101", "check_in": "2036-12-01T16:00", "check_out": "2036-12-05T10:00"}
    ),
    "a date alone": json.dumps(
        {
            "booking_id": "BK-1",
            "device_ids": ["d0000000-0000-0000-0000-000000000001"],
            "check_in": "2036-12-01",
            "check_out": "2036-12-05",
        }
    ),
    "a door that is no UUID": json.dumps(
        {
            "booking_id": "BK-1",
            "device_ids": ["d0000000-0000-0000-0000-000000000001", "Room 101"],
            "check_in": "2036-12-01T16:00",
            "check_out": "2036-12-05T10:00",
        }
    ),
    "too deep": "[" * 60_000,
}


def told_of_parked(machine: Machine) -> Alert:
    """Return the only alert about parked messages."""
    machine.clock.move(timedelta(seconds=2))
    machine.handlers.periodic_jobs("tell_parked")
    (alert,) = (alert for alert in machine.alerts.all() if alert.key.startswith("parked/"))
    return alert


@pytest.mark.parametrize("message", BAD.values(), ids=BAD.keys())
def test_unusable_messages_are_parked(machine: Machine, redis_client: Redis, message: str) -> None:
    """With every problem, and an alert. They are acknowledged, so that the next message doesn't wait."""
    entry_id = machine.append(message)
    assert machine.apply(entry_id) is None
    (entry,) = machine.parked.list()
    assert (entry.parked.source_id, entry.parked.stream) == (entry_id, "booking-created")
    assert entry.parked.problems
    assert redis_client.xlen("booking-created") == 0
    named = '"BK-1"' in message
    alert = told_of_parked(machine)
    assert alert.is_open
    assert (alert.notice.problem, alert.notice.check_in is None) == (
        ("booking_parked", False) if named else ("message_parked", True)
    )


def test_every_problem_of_a_message_is_listed(machine: Machine) -> None:
    """All at once, so that the message can be corrected in one go."""
    machine.apply(machine.append(BAD["many problems"]))
    (entry,) = machine.parked.list()
    named = " ".join(entry.parked.problems)
    assert all(field in named for field in ("booking_id", "device_ids", "check_in", "check_out"))


def test_a_door_that_is_no_uuid_is_named(machine: Machine) -> None:
    """It is parked with the field, the problem and a valid form: it isn't a booking that fails at Seam."""
    machine.apply(machine.append(BAD["a door that is no UUID"]))
    (entry,) = machine.parked.list()
    (problem,) = entry.parked.problems
    assert problem.startswith("device_ids[1]: 'Room 101' is not a UUID")
    assert "11111111-1111-1111-1111-444444444444" in problem


def test_a_door_in_upper_case_is_read_as_seam_writes_it(machine: Machine, sandbox: Sandbox) -> None:
    """A door gets one code, in any spelling of its id."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id.upper()), "ready")
    assert booking.doors[0].device_id == device_id
    machine.until(machine.update(booking, 1, device_id), "ready")
    assert len(machine.made(device_id)) == 1


def test_an_entry_without_a_message_is_parked(machine: Machine, redis_client: Redis) -> None:
    """The sender wrote another field."""
    entry_id = str(redis_client.xadd("booking-created", {"body": "{}"}))
    assert machine.apply(entry_id) is None
    (entry,) = machine.parked.list()
    assert BOOKING_FIELD in entry.parked.problems[0]
    assert (entry.parked.message, entry.parked.fields) == ("{}", {"body": "{}"})


def test_an_entry_with_flat_fields_is_parked_whole(machine: Machine, redis_client: Redis) -> None:
    """Its booking is found and told; a PIN and a guest's contact are taken out."""
    entry: dict[Any, Any] = {
        "booking_id": "BK-7",
        "check_in": "2036-12-01T15:45",
        "device_ids": '["x"]',
        "door_code": "739158",
    }
    entry["guest"] = json.dumps({"lock": [{"pin": 739158}], "phone": "555-0100", "floor": "2036"})
    machine.apply(str(redis_client.xadd("booking-created", entry)))
    (kept,) = machine.parked.of_booking("BK-7")
    assert kept.parked.fields["check_in"] == "2036-12-01T15:45"
    assert json.loads(kept.parked.message)["device_ids"] == ["x"]
    assert "739158" not in str(kept)
    assert "555-0100" not in str(kept)
    assert "2036" in kept.parked.fields["guest"]
    alert = told_of_parked(machine)
    assert (alert.notice.subject, alert.notice.problem) == ("Booking BK-7", "booking_parked")
    assert alert.notice.check_in is not None


def test_an_alert_that_an_older_version_wrote_ends_too(machine: Machine, redis_client: Redis) -> None:
    """A periodic job adds it to the index of open alerts."""
    machine.apply(str(redis_client.xadd("booking-created", {"body": "{}"})))
    alert = told_of_parked(machine)
    redis_client.delete(redis_keys.ALERTS_OPEN)
    (entry,) = machine.parked.list()
    machine.parked.discard(entry)
    machine.handlers.periodic_jobs("tell_parked")
    assert is_open(machine, alert)
    machine.handlers.periodic_jobs("index_open_alerts")
    machine.handlers.periodic_jobs("tell_parked")
    assert not is_open(machine, alert)


def is_open(machine: Machine, alert: Alert) -> bool:
    """Say whether the alert is still open."""
    now = machine.alerts.get(alert.key)
    return now is not None and now.is_open


def test_a_booking_in_a_wrong_field_can_be_replayed(machine: Machine, redis_client: Redis, sandbox: Sandbox) -> None:
    """A single object is the message, whatever its field is called."""
    published: Any = redis_client.xrange("booking-created", machine.publish("BK-8", [sandbox.door()]))
    redis_client.delete("booking-created")
    machine.apply(str(redis_client.xadd("booking-created", {"data": published[0][1]["message"]})))
    (kept,) = machine.parked.of_booking("BK-8")
    machine.parked.replay(kept)
    found: Any = redis_client.xrange("booking-created")
    machine.apply(found[0][0])
    assert machine.ledger.get("BK-8").stay is not None


def test_a_cancellation_in_flat_fields_is_never_replayed_as_a_booking(machine: Machine, redis_client: Redis) -> None:
    """Any of several fields may change the meaning: so all of them are part of the message."""
    booking = json.dumps({"booking_id": "BK-9", "device_ids": ["x"], "check_in": "2036-12-01T15:45"})
    machine.apply(str(redis_client.xadd("booking-created", {"type": "booking.cancelled", "data": booking})))
    (kept,) = machine.parked.of_booking("BK-9")
    assert json.loads(kept.parked.message)["type"] == "booking.cancelled"


def test_a_cancellation_beside_the_message_is_never_taken_for_a_booking(
    machine: Machine, redis_client: Redis, sandbox: Sandbox
) -> None:
    """A type in another field cancels: it is parked as a cancellation, also when it is replayed."""
    published: Any = redis_client.xrange("booking-created", machine.publish("BK-9", [sandbox.door()]))
    bare = json.dumps(json.loads(published[0][1]["message"])["data"])
    redis_client.delete("booking-created")
    entry: dict[Any, Any] = {"message": bare, "type": "booking.cancelled"}
    assert machine.apply(str(redis_client.xadd("booking-created", entry))) is None
    (kept,) = machine.parked.of_booking("BK-9")
    assert kept.parked.kind == "cancellation"
    assert "booking.cancelled" in kept.parked.problems[0]
    machine.parked.replay(kept)
    found: Any = redis_client.xrange("booking-created")
    assert machine.apply(found[0][0]) is None
    assert machine.parked.count() == 1


def test_a_cancellation_in_a_field_named_like_a_pin_stays_one(machine: Machine, sandbox: Sandbox) -> None:
    """The parked message without its PINs still cancels, and isn't replayed as a booking."""
    assert machine.apply(machine.publish("BK-9", [sandbox.door()], status={"code": "CXL"}, pin="739158")) is None
    (kept,) = machine.parked.of_booking("BK-9")
    assert (kept.parked.kind, "739158" in str(kept)) == ("cancellation", False)
    machine.parked.replay(kept)
    found: Any = machine.redis.xrange("booking-created")
    assert machine.apply(found[0][0]) is None


def test_a_check_in_of_another_century_is_parked(machine: Machine, sandbox: Sandbox) -> None:
    """It is told; otherwise it would wait for its lead time, and nobody would know."""
    fields = {"check_in": "2126-12-01T15:45", "check_out": "2126-12-05T10:15"}
    assert machine.apply(machine.publish("BK-9", [sandbox.door()], **fields)) is None
    (kept,) = machine.parked.of_booking("BK-9")
    assert "over three years ahead" in kept.parked.problems[0]
    assert machine.apply(machine.publish("BK-9", [], kind="cancelled", **fields)) is not None


def test_a_flood_of_bad_messages_is_one_alert(machine: Machine) -> None:
    """It is told once with the number of messages; each message is kept."""
    for _ in range(5):
        machine.apply(machine.append("oops"))
    alert = told_of_parked(machine)
    machine.apply(machine.append("oops"))
    alert = told_of_parked(machine)
    assert (alert.hit, alert.sequence, machine.parked.count()) == (6, 1, 6)


def test_free_text_is_parked_without_digits(machine: Machine) -> None:
    """It may contain a PIN. An object is kept unchanged for a replay."""
    machine.apply(machine.append("the code is 739158"))
    machine.apply(machine.append('{"booking_id": 739158}'))
    text, kept = (entry.parked.message for entry in machine.parked.list())
    assert (text, kept) == ("the code is ######", '{"booking_id": 739158}')


def test_a_message_is_parked_without_its_pins(machine: Machine) -> None:
    """Everything else stays as it was sent, also in text that isn't quite JSON."""
    sent = {"booking_id": "BK-7", "check_in": "2036-12-01T15:45", "note": "floor 1207", "door_code": "739158"}
    machine.apply(machine.append(json.dumps(sent)))
    machine.apply(machine.append('{"booking_id": "BK-8", "pin": 739158, "check_in": "2036-12-01'))
    whole, broken = (entry.parked.message for entry in machine.parked.list())
    assert json.loads(whole) == sent | {"door_code": "[removed]"}
    assert broken == '{"booking_id": "BK-8", "pin": "[removed]", "check_in": "2036-12-01'


def test_bad_messages_block_no_good_one(machine: Machine, sandbox: Sandbox) -> None:
    """The booking between two bad messages gets its code."""
    device_id = sandbox.door()
    booking_id = machine.new_id()
    for entry_id in (
        machine.append("oops"),
        machine.publish(booking_id, [device_id]),
        machine.append("[]"),
    ):
        machine.apply(entry_id)
    assert len(machine.made(device_id)) == 1


def test_an_entry_is_applied_once(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Neither the same entry after it was acknowledged, nor the same message again, changes anything."""
    device_id = sandbox.door()
    entry_id = machine.publish(machine.new_id(), [device_id])
    entries: Any = redis_client.xrange("booking-created")
    first = machine.apply(entry_id)
    assert first is not None
    assert machine.apply(entry_id) is None
    assert machine.apply(machine.append(entries[0][1]["message"])) is None
    assert machine.ledger.get(first.booking_id) == first
    assert redis_client.xlen("booking-created") == 0


def test_a_replayed_message_is_applied_like_any_other(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """When its cause is gone. Then it leaves the list."""
    machine.apply(machine.append("oops"))
    (entry,) = machine.parked.list()
    machine.parked.replay(entry)
    entries: Any = redis_client.xrange("booking-created")
    assert machine.apply(entries[0][0]) is None
    assert machine.parked.count() == 1
    assert machine.book(sandbox.door()).state in ("issued", "ready")
