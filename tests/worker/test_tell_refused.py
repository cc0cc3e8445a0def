"""Refused messages that people are told of: of a known booking, or a cancellation; one alert for each cause."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import system_clock
from shared.domain.alerting.alert import Alert
from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.refused import refused_message
from shared.refused_messages import RefusedMessages
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def refuse(machine: Machine, message: dict[str, Any]) -> None:
    """Store a refusal of the message, as `web` does."""
    text = json.dumps(message)
    try:
        parse_booking_message(text)
    except InvalidMessage as invalid:
        # By the clock that numbers entries: a later message has a later entry.
        RefusedMessages(machine.redis).keep(refused_message(text, invalid.problems), system_clock())
    else:
        raise AssertionError("it can be used")


def told(machine: Machine) -> list[Alert]:
    """Return the open alerts after the job has run."""
    machine.handlers.periodic_jobs("tell_refused")
    return [alert for alert in machine.alerts.open() if alert.key.startswith("refused/")]


def test_a_refused_change_of_a_booking_is_told(machine: Machine, sandbox: Sandbox) -> None:
    """With the state of the booking; it ends when a later message of the booking is applied."""
    booking_id, device_id = machine.new_id(), sandbox.door()
    booking = machine.apply(machine.publish(booking_id, [device_id]))
    assert booking is not None
    machine.until(booking, "ready")
    unusable = {"device_ids": [device_id], "check_in": "soon", "check_out": "later"}
    refuse(machine, {"booking_id": booking_id, **unusable})
    refuse(machine, {"booking_id": "BK-NEW", **unusable, "check_in": "2046-12-01"})
    (alert,) = told(machine)
    assert (alert.notice.problem, alert.hit, alert.notice.booking_id) == ("booking_refused", 1, booking_id)
    assert "the booking keeps its old times" in alert.subjects[0]
    assert alert.notice.check_in is not None
    assert "soon" not in str(alert)
    refuse(machine, {"booking_id": booking_id, **unusable})
    (again,) = told(machine)
    assert (again.sequence, again.newcomers) == (alert.sequence, 0)
    machine.apply(machine.publish(booking_id, [device_id], label="sent again as it should be"))
    assert told(machine) == []


def test_a_refused_cancellation_is_told_for_any_booking(machine: Machine, sandbox: Sandbox) -> None:
    """It ends when the booking is cancelled; for an unknown booking after a day."""
    booking_id = machine.new_id()
    machine.apply(machine.publish(booking_id, [sandbox.door()]))
    refuse(machine, {"type": "booking.canceled", "id": "1", "source": "/x", "data": {"booking_id": booking_id}})
    refuse(machine, {"type": "booking.canceled", "id": "2", "source": "/x", "data": {"booking_id": "BK-NOBODY"}})
    (alert,) = told(machine)
    assert alert.hit == 2
    assert any("it is not cancelled" in line for line in alert.subjects)
    assert any("no booking of this id is known" in line for line in alert.subjects)
    machine.apply(machine.publish(booking_id, [], kind="cancelled"))
    (alert,) = told(machine)
    assert (alert.hit, alert.notice.booking_id) == (1, "BK-NOBODY")
    machine.clock.move(timedelta(days=1, minutes=1))
    assert told(machine) == []


def test_a_check_in_under_another_name_decides_how_urgent_it_is(machine: Machine) -> None:
    """A guest who comes in an hour pages; one who comes in months is no news, as with the right name."""
    soon = (machine.clock() + timedelta(hours=1)).isoformat()
    refuse(machine, {"booking_id": "BK-FAR", "unit": "101", "checkIn": "2046-12-01T15:45:00Z"})
    assert told(machine) == []
    refuse(machine, {"booking_id": "BK-SOON", "unit": "101", "checkIn": soon})
    (alert,) = told(machine)
    assert (alert.notice.booking_id, str(alert.severity)) == ("BK-SOON", "page")


def new_booking(machine: Machine, check_in: timedelta | None, **fields: Any) -> dict[str, Any]:
    """Return an unusable booking with a check-in so long from now; None: a check-in that can't be read."""
    at = (machine.clock() + check_in).isoformat() if check_in is not None else "soon"
    return {"booking_id": "BK-NEW", "unit": 101, "check_in": at, "check_out": "later"} | fields


def test_a_new_booking_is_told_when_its_check_in_is_near(machine: Machine) -> None:
    """The check-in decides the severity, because no code is made. It ends when the booking was sent correctly."""
    refuse(machine, new_booking(machine, timedelta(days=3)))
    assert told(machine) == []
    machine.clock.move(timedelta(days=2, hours=1))
    (alert,) = told(machine)
    assert (alert.notice.problem, alert.notice.booking_id) == ("booking_refused", "BK-NEW")
    assert "for a new one no code is made" in alert.notice.happened
    assert alert.notice.check_in is not None
    machine.clock.move(timedelta(hours=22))
    (alert,) = told(machine)
    assert alert.notice.check_in is not None
    assert alert.notice.check_in - machine.clock() < timedelta(hours=2)
    machine.clock.move(timedelta(days=2))
    assert told(machine) == []


@pytest.mark.parametrize("check_in", [None, timedelta(hours=1), timedelta(hours=-3)], ids=str)
def test_a_new_booking_of_tonight_is_told_at_once(
    machine: Machine, sandbox: Sandbox, check_in: timedelta | None
) -> None:
    """Also if its check-in can't be read; until it is sent correctly."""
    refuse(machine, new_booking(machine, check_in))
    (alert,) = told(machine)
    assert alert.hit == 1
    assert (alert.notice.check_in is None) == (check_in is None)
    machine.apply(machine.publish("BK-NEW", [sandbox.door()]))
    assert told(machine) == []


@pytest.mark.parametrize("check_in", [timedelta(days=5), timedelta(days=-5)], ids=str)
def test_a_new_booking_of_another_time_is_not_told(machine: Machine, check_in: timedelta) -> None:
    """Its sender knows from the answer."""
    refuse(machine, new_booking(machine, check_in))
    assert told(machine) == []


def test_a_message_that_names_no_booking_is_told(machine: Machine) -> None:
    """As a warning, because it may be about any booking. It ends after a day."""
    refuse(machine, {"check_in": "2036-12-01", "note": "BK-1 by another name"})
    (alert,) = told(machine)
    assert (alert.notice.problem, alert.notice.check_in, alert.hit) == ("booking_refused", None, 1)
    assert "a booking that exists stays as it was" in alert.notice.happened
    machine.clock.move(timedelta(days=1, minutes=1))
    assert told(machine) == []


def test_another_message_without_a_booking_is_news_later(machine: Machine) -> None:
    """It may be about another booking: those within a quarter of an hour are one, later ones join the alert."""
    invalid = InvalidMessage((Problem("message", "is over 1024 bytes", "send the fields of the booking alone"),))
    start = system_clock().replace(minute=1, second=0)
    for minutes in (0, 5, 15, 20, 45):
        refused = refused_message('{"type": "booking.cancelled"', invalid.problems)
        RefusedMessages(machine.redis).keep(refused, start + timedelta(minutes=minutes))
    assert len(RefusedMessages(machine.redis).lately(start + timedelta(hours=1))) == 3


def test_a_flood_is_a_few_alerts(machine: Machine) -> None:
    """For any number of causes."""
    for number in range(40):
        fields = ("check_in", "check_out", "unit", "slot", "granularity", "time_zone")
        wrong = {name: 7 for place, name in enumerate(fields) if number + 1 & 1 << place}
        refuse(machine, {"booking_id": f"BK-{number}", "status": "cancelled", **wrong})
    alerts = told(machine)
    assert 1 < len(alerts) <= 11
    assert sum(alert.hit for alert in alerts) == 40


def test_what_newer_refusals_push_out_is_not_told_as_solved(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood may push out the refused message of a guest who comes soon: nothing is solved by that."""
    for module in ("shared.refused_messages", "worker.handlers.tell_refused"):
        monkeypatch.setattr(f"{module}.MOST_REFUSED", 2)
    refuse(machine, {"type": "booking.cancelled", "booking_id": machine.new_id(), "chek_in": "soon"})
    (alert,) = told(machine)
    for _ in range(2):
        refuse(machine, {"booking_id": machine.new_id(), "device_ids": [], "check_in": "2046-12-01"})
    assert told(machine) == []
    closed = machine.alerts.get(alert.key)
    assert closed is not None
    assert closed.is_unsolved
    assert "The list of refused messages is full" in closed.notice.solved
