"""Cancellations of unknown bookings: told as information, with similar ids, in one alert."""

from datetime import timedelta

from shared.domain.alerting.alert import Alert
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.handlers.tell_unknown_cancellations import ALERT_KEY, GRACE, TOLD_FOR


def told(machine: Machine) -> Alert | None:
    """Return the alert after the job has run; None if it isn't open."""
    machine.handlers.periodic_jobs("tell_unknown_cancellations")
    alert = machine.alerts.get(ALERT_KEY)
    return alert if alert is not None and alert.is_open else None


def test_a_misspelled_id_is_told_with_a_similar_one(machine: Machine, sandbox: Sandbox) -> None:
    """After a while, because its booking may still come; the alert ends after a day."""
    booking = machine.book(sandbox.door())
    misspelled = booking.booking_id.replace("BK-", "BK_") + "x"
    machine.apply(machine.publish(misspelled, [], kind="cancelled"))
    assert told(machine) is None
    machine.clock.move(GRACE + timedelta(minutes=1))
    alert = told(machine)
    assert alert is not None
    assert (alert.notice.problem, alert.severity, alert.hit) == ("cancellation_unknown", "info", 1)
    assert alert.subjects == (f"{misspelled}: did you mean {booking.booking_id}?",)
    again = told(machine)
    assert again is not None
    assert again.sequence == alert.sequence
    machine.clock.move(TOLD_FOR)
    assert told(machine) is None


def test_a_booking_that_comes_after_its_cancellation_ends_it(machine: Machine, sandbox: Sandbox) -> None:
    """The cancellation of a known booking isn't counted."""
    known = machine.book(sandbox.door())
    machine.cancel(known)
    early = machine.new_id()
    machine.apply(machine.publish(early, [], kind="cancelled", revision=1))
    machine.clock.move(GRACE + timedelta(minutes=1))
    alert = told(machine)
    assert alert is not None
    assert alert.notice.booking_id == early
    machine.book(sandbox.door(), booking_id=early, revision=2)
    assert told(machine) is None


def test_a_flood_is_one_alert(machine: Machine) -> None:
    """A system that sends all its old cancellations; later ones are recorded."""
    for number in range(30):
        machine.apply(machine.publish(f"OLD/{number * 7919}", [], kind="cancelled"))
    machine.clock.move(GRACE + timedelta(minutes=1))
    alert = told(machine)
    assert alert is not None
    assert (alert.hit, len(alert.subjects)) == (30, 10)
    assert alert.notice.subject == "30 cancellations of bookings that nobody knows"
