"""A person chooses a slot if none fits: one order makes one code, whatever fails, and however often it comes."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Booking, Window
from shared.ledger.bookings import BookingLedger
from shared.ops_commands import CHOOSE, OpsCommand, SlotOrder
from shared.seam.errors import SeamError
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.machine import Machine, at_once
from worker.handlers.choose_slot import NotChosen

DAY, LATE = {"name": "Day", "check_in": "07:00", "check_out": "19:00"}, {
    "name": "Late", "check_in": "18:00", "check_out": "12:00"
}  # fmt: skip


def stuck(machine: Machine, sandbox: Sandbox, **fields: Any) -> Booking:
    """Return a booking that waits because no slot of its door is near enough: 15:45 to 10:15."""
    booking = machine.book(sandbox.door(slots=[DAY, LATE]), **fields)
    assert (booking.state, booking.reason) == ("waiting", "no_slot")
    return booking


def order_of(booking: Booking, place: int = 0, **fields: Any) -> OpsCommand:
    """Return the command of a button under the booking's alert."""
    (door,) = booking.doors
    offer = door.offers[place]
    choice = SlotOrder(door=door.key, slot=offer.slot, window=Window(offer.starts_at, offer.ends_at))
    return OpsCommand(action=CHOOSE, target=booking.booking_id, by="ann in Slack", choice=replace(choice, **fields))


def window_of(booking: Booking) -> tuple[str, str]:
    """Return the times of day at which the booking's code starts and ends."""
    code = booking.doors[0].code
    assert code is not None
    return f"{code.window.starts_at:%H:%M}", f"{code.window.ends_at:%H:%M}"


def test_the_alert_has_the_slots_that_may_be_chosen(machine: Machine, sandbox: Sandbox) -> None:
    """As data, with each window and its meaning; nothing about the guest."""
    booking = stuck(machine, sandbox, label="Mr Guest")
    (alert,) = [each for each in machine.alerts.all() if each.notice.booking_id == booking.booking_id]
    assert [offer.name for offer in alert.notice.choices] == ["Late", "Day"]
    assert alert.notice.choices == booking.doors[0].offers
    assert "after check-in" in alert.notice.choices[0].meaning
    assert "Guest" not in repr(alert.notice.choices)


def test_a_click_makes_the_code_of_that_slot(machine: Machine, sandbox: Sandbox) -> None:
    """One code with the slot's own times. The alert ends and says who ended it; the booked stay is unchanged."""
    before = stuck(machine, sandbox)
    machine.run_command(order_of(before))
    after = machine.until(before, "ready")
    assert window_of(after) == ("18:00", "12:00")
    assert after.stay == before.stay
    assert after.doors[0].check_in == before.doors[0].check_in
    assert len(machine.made(after.doors[0].device_id)) == 1
    assert any(
        "ann in Slack chose the slot “Late”" in text for text in machine.story_lines(after.booking_id, "slot.chosen")
    )
    (alert,) = [each for each in machine.alerts.all() if each.notice.booking_id == after.booking_id]
    assert not alert.is_open
    assert alert.notice.solved == "ann in Slack chose the slot “Late”."
    assert machine.redis.xlen(OPS_STREAM) == 0


def test_an_order_that_comes_again_changes_nothing(machine: Machine, sandbox: Sandbox) -> None:
    """Before the code exists, and long after."""
    before = stuck(machine, sandbox)
    for _ in range(3):
        machine.run_command(order_of(before))
    after = machine.until(before, "ready")
    machine.run_command(order_of(before))
    assert machine.ledger.get(after.booking_id) == after
    assert len(machine.story_lines(after.booking_id, "slot.chosen")) == 1
    assert machine.creates(after.doors[0].device_id) == 1


def test_a_kill_after_the_record_loses_nothing(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door's due time was written with the record: a sweep finds it, and the order comes again."""
    before = stuck(machine, sandbox)
    command = order_of(before)
    entry_id = machine.append_command(command)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BookingLedger, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.handlers.run_ops_command(entry_id)
    assert machine.ledger.get(before.booking_id).doors[0].choice is not None
    machine.until(before, "ready", every=timedelta(seconds=30))
    machine.handlers.run_ops_command(entry_id)
    assert machine.creates(before.doors[0].device_id) == 1
    assert machine.redis.xlen(OPS_STREAM) == 0


def test_many_workers_run_commands_at_once(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """Several people click two slots at the same moment: one choice holds, and each slot has one code at most."""
    before = stuck(machine, sandbox)
    machines = [Machine(redis_client, data_server.url, sandbox) for _ in range(4)]
    at_once(*(partial(one.run_command, order_of(before, place % 2)) for place, one in enumerate(machines)))
    after = machine.until(before, "ready")
    choice = after.doors[0].choice
    assert choice is not None
    assert window_of(after) == {"Late": ("18:00", "12:00"), "Day": ("07:00", "19:00")}[choice.name]
    assert machine.creates(after.doors[0].device_id) == 1


GONE = "the door has no such slot"
REFUSED: dict[str, tuple[dict[str, Any], list[dict[str, Any]] | None, str]] = {
    "its times are others now": ({}, [DAY, LATE | {"check_in": "19:00"}], "not as it was shown"),
    "the door was wiped": ({}, [], GONE),
    "a slot that never was": ({"slot": "<!channel>\n\x1b[31m"}, None, GONE),
    "a door that isn't the booking's": ({"door": "d0000000-0000-0000-0000-000000000009"}, None, "not on this door"),
}


@pytest.mark.parametrize(("fields", "slots", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_an_outdated_order_is_refused_and_told(
    machine: Machine, sandbox: Sandbox, fields: dict[str, Any], slots: list[dict[str, Any]] | None, why: str
) -> None:
    """In the booking's story. Nothing is asked of Seam, and the alert stays open."""
    before = stuck(machine, sandbox)
    if slots is not None:
        sandbox.arrange("PATCH", f"/sandbox/devices/{before.doors[0].device_id}", {"slots": slots})
    command = order_of(before, **fields)
    machine.run_command(command)
    (line,) = machine.story_lines(before.booking_id, "slot.not_chosen")
    assert "ann in Slack" in line
    assert why in line
    assert line.isprintable()
    after = machine.ledger.get(before.booking_id)
    assert after.doors[0].choice is None
    assert machine.creates(before.doors[0].device_id) == 0
    (alert,) = [each for each in machine.alerts.all() if each.notice.booking_id == before.booking_id]
    assert alert.is_open
    # It is posted once where the button was pressed, unless it was no button of ours.
    assert [each.text for each in alert.remarks] == (
        [] if "door" in fields else [f"Booking {before.booking_id}: {line}"]
    )


def test_an_old_button_replaces_no_code(machine: Machine, sandbox: Sandbox) -> None:
    """It was shown when no slot fitted; since then the door got a slot, and the guest a code."""
    before = stuck(machine, sandbox)
    guest = {"name": "Guest", "check_in": "16:00", "check_out": "10:00"}
    sandbox.arrange("PATCH", f"/sandbox/devices/{before.doors[0].device_id}", {"slots": [DAY, LATE, guest]})
    ready = machine.until(before, "ready")
    machine.run_command(order_of(before))
    (line,) = machine.story_lines(ready.booking_id, "slot.not_chosen")
    assert "waits for a slot no more" in line
    assert machine.ledger.get(ready.booking_id) == ready
    (alert,) = [each for each in machine.alerts.all() if each.notice.booking_id == before.booking_id]
    assert (alert.is_open, [each.text for each in alert.remarks]) == (False, [f"Booking {before.booking_id}: {line}"])


@pytest.mark.parametrize("end", ["cancelled", "ended"])
def test_an_ended_booking_is_refused(machine: Machine, sandbox: Sandbox, end: str) -> None:
    """It needs no code."""
    before = stuck(machine, sandbox)
    command = order_of(before)
    if end == "cancelled":
        machine.cancel(before)
    else:
        machine.clock.move(timedelta(days=7))
        machine.sweep()
    assert machine.ledger.get(before.booking_id).state == end
    machine.run_command(command)
    assert end in machine.story_lines(before.booking_id, "slot.not_chosen")[0]
    assert machine.creates(before.doors[0].device_id) == 0


def test_an_order_waits_for_seam(machine: Machine, sandbox: Sandbox) -> None:
    """While the door can't be read, the entry stays pending, and comes again."""
    before = stuck(machine, sandbox)
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    with pytest.raises(SeamError):
        machine.run_command(order_of(before))
    assert machine.redis.xlen(OPS_STREAM) == 1
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    pending: Any = machine.redis.xrange(OPS_STREAM)
    ((entry_id, _),) = pending
    machine.handlers.run_ops_command(entry_id)
    assert window_of(machine.until(before, "ready")) == ("18:00", "12:00")


def test_a_lost_ledger_makes_no_second_code(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The booking is replayed, waits again, and the same slot is chosen: the code with its name is taken over."""
    before = stuck(machine, sandbox)
    machine.run_command(order_of(before))
    first = machine.until(before, "ready")
    redis_client.flushall()

    again = machine.book(before.doors[0].device_id, booking_id=before.booking_id)
    assert again.reason == "no_slot"
    machine.run_command(order_of(again))
    again = machine.until(again, "ready")
    assert first.doors[0].code is not None
    assert again.doors[0].code is not None
    assert again.doors[0].code.access_code_id == first.doors[0].code.access_code_id
    assert machine.story_lines(again.booking_id, "code.adopted")
    assert machine.creates(before.doors[0].device_id) == 1


def test_a_revision_of_the_same_stay_keeps_the_choice(machine: Machine, sandbox: Sandbox) -> None:
    """Only the label has changed: the code is still right."""
    before = stuck(machine, sandbox)
    machine.run_command(order_of(before))
    first = machine.until(before, "ready")
    after = machine.until(machine.update(first, 1, label="Renamed"), "ready")
    assert after.doors[0].choice == first.doors[0].choice
    assert after.doors[0].code is not None
    assert first.doors[0].code is not None
    assert after.doors[0].code.access_code_id == first.doors[0].code.access_code_id
    assert machine.creates(before.doors[0].device_id) == 1


def test_a_revision_of_other_times_ends_the_choice(machine: Machine, sandbox: Sandbox) -> None:
    """It is matched again, and the story says that the choice has ended."""
    before = stuck(machine, sandbox)
    machine.run_command(order_of(before))
    first = machine.until(before, "ready")
    times = {"check_in": in_days(2, "07:30:00"), "check_out": in_days(5, "19:00:00")}
    after = machine.until(machine.update(first, 1, **times), "ready")
    assert after.doors[0].choice is None
    assert window_of(after) == ("07:00", "19:00")
    assert (
        "“Late”, chosen by ann in Slack, no longer counts"
        in machine.story_lines(after.booking_id, "slot.choice_ended")[0]
    )


def test_a_door_waits_for_a_chosen_slot_that_vanishes(machine: Machine, sandbox: Sandbox) -> None:
    """No other slot is taken, not even the booking's own; people read that the slot is gone."""
    times = {"check_in": in_days(20, "15:45:00"), "check_out": in_days(23, "10:15:00")}
    before = stuck(machine, sandbox, **times)
    machine.run_command(order_of(before))
    scheduled = machine.until(before, "scheduled")
    device_id = before.doors[0].device_id
    guest = {"name": "Guest", "check_in": "16:00", "check_out": "10:00"}
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [DAY, guest]})
    waiting = machine.until(scheduled, "waiting", every=timedelta(days=1))
    assert waiting.reason == "no_slot"
    assert "“Late”, chosen by a person, can't be used: it is gone from the door" in waiting.doors[0].detail
    assert machine.creates(device_id) == 0
    # The person chooses again.
    machine.run_command(order_of(waiting))
    ready = machine.until(waiting, "ready", every=timedelta(hours=6))
    assert window_of(ready) == ("16:00", "10:00")


def test_a_choice_while_the_first_create_is_in_doubt(machine: Machine, sandbox: Sandbox) -> None:
    """Two clicks on different slots; the first call got no answer. It is looked up, then the second code is made."""
    before = stuck(machine, sandbox)
    device_id = before.doors[0].device_id
    first, second = order_of(before, 0), order_of(before, 1)
    sandbox.fault("access_codes.create", "disconnect_after", device_id=device_id)
    machine.run_command(first)
    machine.sweep()
    assert machine.ledger.get(before.booking_id).state == "creating"
    choose_slot = partial(machine.handlers.run_ops_command.choose_slot.choose, by="ann", door_key=device_id)
    assert second.choice is not None
    choose_slot(machine.ledger.get(before.booking_id), second.choice.slot)
    after = machine.until(before, "ready")
    assert window_of(after) == ("07:00", "19:00")
    assert machine.creates(device_id) == 2
    made = {code["access_code_id"] for code in machine.made(device_id)}
    known = {code.access_code_id for door in after.doors for code in door.residual}
    assert after.doors[0].code is not None
    assert known | {after.doors[0].code.access_code_id} == made


def test_a_choice_while_the_create_is_under_way(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """The call's code is recorded, but it isn't the choice made meanwhile: the door is planned again."""
    before = stuck(machine, sandbox)
    device_id = before.doors[0].device_id
    machine.run_command(order_of(before))
    sandbox.fault("access_codes.create", "slow", device_id=device_id, seconds=0.8)
    slow, other = (Machine(redis_client, data_server.url, sandbox) for _ in range(2))

    def choose_again() -> None:
        wait_until(lambda: any(fault["fired"] for fault in sandbox.look("/sandbox/faults")["faults"]))
        seen = other.ledger.get(before.booking_id)
        assert seen.state == "creating"
        other.handlers.run_ops_command.choose_slot.choose(seen, "Day", door_key=device_id, by="bob")

    at_once(partial(slow.handlers.advance_door, before.booking_id, device_id), choose_again)
    after = machine.until(before, "ready")
    assert window_of(after) == ("07:00", "19:00")
    assert (len(after.doors[0].residual), machine.creates(device_id)) == (1, 2)


def test_a_door_with_a_code_has_to_be_named(machine: Machine, sandbox: Sandbox) -> None:
    """Then it is handled like any change of the window: the old code is residual access."""
    guest = {"name": "Guest", "check_in": "16:00", "check_out": "10:00"}
    ready = machine.until(machine.book(sandbox.door(slots=[guest, LATE])), "ready")
    choose_slot = machine.handlers.run_ops_command.choose_slot
    with pytest.raises(NotChosen, match="name the door"):
        choose_slot.choose(ready, "Late", door_key=None, by="ann")
    choose_slot.choose(ready, "Late", door_key=ready.doors[0].device_id, by="ann")
    machine.sweep()
    after = machine.until(ready, "ready")
    assert window_of(after) == ("18:00", "12:00")
    assert [code.access_code_id for code in after.doors[0].residual] == [
        code.access_code_id for code in (ready.doors[0].code,) if code is not None
    ]


def test_a_choice_is_for_every_waiting_door_or_none(machine: Machine, sandbox: Sandbox) -> None:
    """Two doors wait. A slot that only one of them has is refused for both; one that both have serves both."""
    both, one = sandbox.door(slots=[DAY, LATE]), sandbox.door(slots=[LATE])
    booking = machine.book(both, one)
    choose_slot = machine.handlers.run_ops_command.choose_slot
    with pytest.raises(NotChosen, match="that can be chosen: “Late”"):
        choose_slot.choose(booking, "Day", door_key=None, by="ann")
    assert machine.ledger.get(booking.booking_id) == booking
    assert len(choose_slot.choose(booking, "Late", door_key=None, by="ann")) == 2
    machine.until(booking, "ready")
    assert [len(machine.made(each)) for each in (both, one)] == [1, 1]


def test_a_record_of_the_previous_version_is_read(machine: Machine, sandbox: Sandbox) -> None:
    """It has no offers and no choices."""
    before = stuck(machine, sandbox)
    key = redis_keys.booking_record(before.booking_id)
    record = json.loads(str(machine.redis.hget(key, "record")))
    for door in record["doors"]:
        del door["offers"], door["choice"]
    machine.redis.hset(key, "record", json.dumps(record))
    old = machine.ledger.get(before.booking_id)
    assert (old.doors[0].offers, old.doors[0].choice) == ((), None)
    machine.run_command(order_of(before))
    assert window_of(machine.until(old, "ready")) == ("18:00", "12:00")


def test_windows_are_compared_as_instants(machine: Machine, sandbox: Sandbox) -> None:
    """The click has the window with any offset; another offset is no reason to refuse it."""
    before = stuck(machine, sandbox)
    offer = before.doors[0].offers[0]
    utc = Window(offer.starts_at.astimezone(), offer.ends_at.astimezone())
    machine.run_command(order_of(before, window=utc))
    assert machine.until(before, "ready").doors[0].choice is not None


def test_windows_at_the_edge_of_the_calendar_are_refused(machine: Machine, sandbox: Sandbox) -> None:
    """A forged command may have any time."""
    before = stuck(machine, sandbox)
    edge = Window(
        datetime.fromisoformat("0001-01-01T00:00:00+23:59"), datetime.fromisoformat("9999-12-31T23:59:59-23:59")
    )
    machine.run_command(order_of(before, window=edge))
    assert "not as it was shown" in machine.story_lines(before.booking_id, "slot.not_chosen")[0]


def test_an_unknown_booking_is_no_error(machine: Machine) -> None:
    """It may have been erased."""
    now = machine.clock()
    choice = SlotOrder(door=str(uuid4()), slot="x", window=Window(now, now))
    machine.run_command(OpsCommand(action=CHOOSE, target="BK-gone", by="ann", choice=choice))
    assert machine.redis.xlen(OPS_STREAM) == 0
