"""Messages without a revision, with a real data server: the newest entry counts, and none is ignored."""

import json
from itertools import permutations
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine


def bare(booking_id: str, device_id: str, *, nights: int = 3, **fields: Any) -> str:
    """Return a bare message for a stay that fits the sandbox's usual slot."""
    stay = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(2 + nights, "10:15:00")}
    return json.dumps({"booking_id": booking_id, "device_ids": [device_id], **stay, **fields})


def problems(machine: Machine) -> list[str]:
    """Return the problems of all parked messages."""
    return [problem for entry in machine.parked.list() for problem in entry.parked.problems]


def test_a_changed_stay_gets_a_code_of_its_own(machine: Machine, sandbox: Sandbox) -> None:
    """As with a higher revision."""
    device_id, booking_id = sandbox.door(), machine.new_id()
    first = machine.apply(machine.append(bare(booking_id, device_id)))
    assert first is not None
    machine.until(first, "ready")
    changed = machine.apply(machine.append(bare(booking_id, device_id, nights=5)))
    assert changed is not None
    assert machine.until(changed, "ready").revision == 1
    ends = {code["ends_at"][:10] for code in machine.made(device_id)}
    assert max(ends) == in_days(7, "10:15:00")[:10]


def test_workers_may_apply_entries_in_any_order(machine: Machine, sandbox: Sandbox) -> None:
    """A booking, a change, and the change back: every order ends with the newest, also if all come again."""
    device_id = sandbox.door()
    for order in permutations(range(3)):
        booking_id = machine.new_id()
        entries = [machine.append(bare(booking_id, device_id, nights=nights)) for nights in (3, 5, 4)]
        kept: Any = {entry: machine.redis.xrange("booking-created", entry, entry) for entry in entries}
        for place in order:
            machine.handlers.apply_booking(entries[place])
        for entry in entries:
            [(_, fields)] = kept[entry]
            machine.redis.delete("booking-created")
            machine.redis.xadd("booking-created", fields, id=entry)
            machine.handlers.apply_booking(entry)
        stay = machine.ledger.get(booking_id).stay
        assert stay is not None
        assert stay.check_out.at.isoformat() == in_days(6, "10:15:00"), order


def test_a_message_that_changes_nothing_keeps_all_due_times(
    machine: Machine, sandbox: Sandbox, redis_client: Redis
) -> None:
    """No door is read earlier or later, and the story doesn't grow."""
    device_id, booking_id = sandbox.door(), machine.new_id()
    machine.apply(machine.append(bare(booking_id, device_id)))
    before, story = machine.ledger.get(booking_id), len(machine.ledger.history(booking_id))
    due: Any = redis_client.zrange(redis_keys.DUE, 0, -1, withscores=True)
    assert due
    assert machine.apply(machine.append(bare(booking_id, device_id))) is None
    after = machine.ledger.get(booking_id)
    assert after.newest_entry > before.newest_entry
    assert (after.doors, after.revision) == (before.doors, before.revision)
    assert len(machine.ledger.history(booking_id)) == story
    assert redis_client.zrange(redis_keys.DUE, 0, -1, withscores=True) == due
    assert machine.parked.count() == 0


def test_a_cancellation_without_a_revision_cancels(machine: Machine, sandbox: Sandbox) -> None:
    """Whatever revision is known."""
    booking = machine.book(sandbox.door(), revision=7)
    machine.apply(machine.publish(booking.booking_id, [], kind="cancelled"))
    assert machine.ledger.get(booking.booking_id).state == "cancelled"
    assert machine.parked.count() == 0


CONFLICTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no revision after one": ({"revision": 2}, {"kind": "updated", "label": "other"}, "revision: is missing"),
    "the same revision, other content": ({"revision": 2}, {"revision": 2, "label": "other"}, "revision: 2 was applied"),
}


@pytest.mark.parametrize(("first", "then", "why"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_message_that_a_person_must_decide_on_is_parked_and_told(
    machine: Machine, sandbox: Sandbox, first: dict[str, Any], then: dict[str, Any], why: str
) -> None:
    """The problem says what to send instead; the booking isn't changed."""
    device_id = sandbox.door()
    booking = machine.book(device_id, **first)
    assert machine.apply(machine.publish(booking.booking_id, [device_id], **then)) is None
    (problem,) = problems(machine)
    assert problem.startswith(why)
    assert "above 2" in problem
    assert machine.ledger.get(booking.booking_id) == booking
    machine.handlers.periodic_jobs("tell_parked")
    (alert,) = (alert for alert in machine.alerts.all() if alert.key.startswith("parked/"))
    assert alert.is_open
    assert alert.notice.booking_id == booking.booking_id


def test_two_sources_with_one_booking_id_are_kept_apart(machine: Machine, sandbox: Sandbox) -> None:
    """The second system's messages are parked; the first guest's code stays."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.apply(machine.append(bare(booking.booking_id, sandbox.door())))
    cancellation = {"specversion": "1.0", "id": "x", "source": "/other", "type": "booking.cancelled"}
    machine.apply(machine.append(json.dumps({**cancellation, "data": {"booking_id": booking.booking_id}})))
    assert [problem.partition(":")[0] for problem in problems(machine)] == ["source", "source"]
    assert "'/tests'" in problems(machine)[1]
    assert machine.ledger.get(booking.booking_id) == booking


def test_a_replayed_message_keeps_its_place_in_the_order(machine: Machine, sandbox: Sandbox) -> None:
    """A later message that was applied meanwhile is newer: the replay doesn't bring an old stay back."""
    device_id, booking_id = sandbox.door(), machine.new_id()
    assert machine.apply(machine.append(bare(booking_id, device_id, device_ids=None, unit="101"))) is None
    machine.apply(machine.append(bare(booking_id, device_id, nights=5)))
    (entry,) = machine.parked.list()
    machine.parked.replay(entry)
    entries: Any = machine.redis.xrange("booking-created")
    [(again, fields)] = entries
    assert fields["first_entry"] == entry.parked.source_id
    machine.redis.xdel("booking-created", again)
    # As if the unit had been added to the doors file meanwhile.
    replayed = machine.redis.xadd("booking-created", {**fields, "message": bare(booking_id, device_id)})
    assert machine.apply(str(replayed)) is None
    stay = machine.ledger.get(booking_id).stay
    assert stay is not None
    assert stay.check_out.at.isoformat() == in_days(7, "10:15:00")
