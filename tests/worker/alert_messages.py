"""Messages as channels get them, for the tests of channels."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.alerting.alert import Alert, add_reminder, mark_handled, raise_severity, record_notice
from shared.domain.alerting.notifications import Notification, Status, delivery_id
from shared.domain.alerting.receipts import record_delivery
from shared.domain.alerting.routing import Place, Routing
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import AlertNotice, Window
from shared.domain.door.door import TimeSlot
from shared.domain.matching.manual_choice import SlotOffer, can_be_typed, choose_command
from shared.domain.matching.manual_options import Choosable
from shared.domain.matching.match import Match, Outcome
from tests.shared.stories import NOW
from worker.alerts.composing import message_of
from worker.alerts.message import AlertMessage

CHANNEL = "ops"


def notice(booking: str = "BK-1", problem: str = "no_slot", **fields: Any) -> AlertNotice:
    """Return the notice of one booking's problem."""
    trouble = PROBLEMS[problem]
    known: dict[str, Any] = {
        "at": NOW,
        "raised": True,
        "key": f"booking/{booking}/{problem}/d-1",
        "problem": problem,
        "subject": f"Booking {booking} on Room 101",
        "happened": trouble.happened,
        "next_step": trouble.steps,
        "actor": trouble.actor,
        "look_closer": f"oracode bookings show {booking}",
        "check_in": NOW + timedelta(hours=20),
        "check_out": NOW + timedelta(days=4),
        "time_zone": "Europe/Berlin",
        "booking_id": booking,
        "device_id": "d-1",
    }
    known |= fields
    if known.get("choices"):
        known["choose"] = choose_command(booking, known["choices"][0])
        known["next_step"] = known["next_step"].replace("`oracode bookings choose`", f"`{known['choose']}`")
    return AlertNotice(**known)


def opened(of: AlertNotice, level: Severity = Severity.WARNING) -> Alert:
    """Return the alert that a notice opens."""
    alert = record_notice(None, of, group=f"{of.problem}/{of.actor}", level=level)
    assert alert is not None
    return alert


def offer(slot: str, name: str, *, hours: int) -> SlotOffer:
    """Return a slot that may be chosen, with a code that starts so long after check-in."""
    check_in, check_out = NOW + timedelta(hours=20), NOW + timedelta(days=4)
    by = timedelta(hours=hours)
    found = Choosable(
        slot=slot_named(name),
        reference=slot,
        typed=name if can_be_typed(name) else slot,
        match=Match(outcome=Outcome.MATCHED),
        starts_at=check_in + by,
        ends_at=check_out,
        opens_late_by=by,
        closes_late_by=timedelta(),
    )
    return found.offer()


def slot_named(name: str) -> TimeSlot:
    """Return a slot of this name."""
    return TimeSlot(name=name, user_level_id="", prefix=None, check_in=None, check_out=None)


def resolved(alert: Alert, *, thread: str = "", solved: str = "") -> Alert:
    """Return the alert after its end, for a channel that knew of it; `solved` says who ended it."""
    told = record_delivery(alert, CHANNEL, alert.sequence, thread=thread)
    over = record_notice(told, replace(alert.notice, raised=False, at=NOW + timedelta(hours=1), solved=solved))
    assert over is not None
    return over


def message(
    *alerts: Alert,
    others: tuple[Alert, ...] = (),
    building: str = "",
    runbook_url: str = "",
    status: Status | None = None,
) -> AlertMessage:
    """Return the message about these alerts; `others` are in their group, and were told before."""
    status = status or ("open" if alerts[0].is_open else "resolved")
    members = {alert.key: alert.sequence for alert in alerts}
    group = alerts[0].group
    notification = Notification(
        channel=CHANNEL,
        status=status,
        members=members,
        delivery_id=delivery_id(group, members),
        is_page=False,
        at=NOW,
    )
    places = {"d-1": Place(building=building)} if building else {}
    policy = AlertPolicy(routing=Routing(channels=(CHANNEL,), places=places), runbook_url=runbook_url)
    known = {alert.key: alert for alert in (*alerts, *others)}
    return message_of(notification, known, group=group, policy=policy, now=NOW)


def one(**fields: Any) -> AlertMessage:
    """Return a message about one problem; `fields` are those of its notice."""
    return message(opened(notice(**fields)))


def choosable(number: int) -> Alert:
    """Return one of several bookings that fit no slot, with slots that may be chosen."""
    choices = (offer("7", "Late Night", hours=3), offer("9", "it's", hours=-2))
    return opened(
        notice(f"BK-{number}", subject=f"Booking BK-{number} on Room {number}", door_key="d-1", choices=choices)
    )


def situations() -> dict[str, AlertMessage]:
    """Return the situations of the golden messages."""
    single = opened(notice())
    many = [
        opened(
            notice(
                f"BK-{number:02}",
                "no_slots_configured",
                subject=f"Booking BK-{number:02} on Room {number}",
                check_in=NOW + timedelta(hours=number),
            ),
            Severity.PAGE if number <= 2 else Severity.WARNING,
        )
        for number in range(1, 15)
    ]
    seam = replace(
        opened(
            notice(
                problem="seam_unavailable",
                key="seam/unavailable",
                subject="Seam is away",
                look_closer="oracode doctor",
                booking_id="",
                device_id="",
            )
        ),
        hit=100,
        subjects=tuple(f"Booking BK-{number} on Room {number}" for number in range(10)),
    )
    return {
        "one-booking": message(single, runbook_url="https://wiki.example/runbook"),
        "now-urgent": message(raise_severity(record_delivery(single, CHANNEL, 1), Severity.PAGE, NOW)),
        "reminder": message(add_reminder(replace(record_delivery(single, CHANNEL, 1), count=7), NOW)),
        "resolved": message(resolved(single)),
        "building": message(*many, building="Tower A"),
        "building-resolved": message(*(resolved(each, thread="t") for each in many), building="Tower A"),
        "seam-away": message(seam),
        "choose-a-slot": one(
            door_key="d-1",
            choices=(
                offer("7", "Late", hours=3),
                offer("<!channel>", "<!channel> :rotating_light: \u202e" + "ab" * 40, hours=-12),
                offer("9", "", hours=0),
                offer("10", "One too many", hours=4),
            ),
        ),
        "choose-for-several": message(*(choosable(number) for number in range(1, 4))),
        "choose-for-many": message(*(choosable(number) for number in range(1, 8))),
        "at-the-door": one(
            problem="late_set",
            door_key="d-1",
            check_in=NOW + timedelta(hours=1),
            code=Window(NOW + timedelta(minutes=45), NOW + timedelta(days=4)),
            earlier_code=Window(NOW + timedelta(hours=2), NOW + timedelta(days=2)),
        ),
        "no-zone-yet": one(
            problem="seam_unavailable",
            check_in=NOW + timedelta(hours=6),
            wall_check_in=(NOW + timedelta(hours=20)).replace(tzinfo=None),
            time_zone=None,
        ),
        "handled": message(mark_handled(record_delivery(single, CHANNEL, 1), "ann in Slack", NOW)),
        "handled-of-several": message(mark_handled(choosable(1), "<@U1> *ann*", NOW), choosable(2)),
        "slot-chosen": message(resolved(single, solved="<@U1> *ann* in Slack chose the slot “Late”.")),
        "hostile-text": one(
            booking="<!channel>",
            subject="Booking <!channel> on <https://evil.example|Room> [x](https://evil.example) <b>101</b>",
            happened="It says `rm` & *all*\n<@U1> <at>everyone</at>",
        ),
    }
