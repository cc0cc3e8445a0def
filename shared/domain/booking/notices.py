"""The notices of a change of a booking: outcomes for the booking system, alerts for people."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from shlex import quote
from typing import Any, Final

from shared.domain.booking.advice import earlier_code_of, next_step_now
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.outcome import PUBLISHED, OutcomeData, OutcomeDevice
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import AlertNotice, BookedDoor, Booking, OutcomeNotice, State
from shared.domain.booking.stay_times import check_in_of
from shared.domain.matching.manual_choice import called, choose_command, short
from shared.domain.matching.manual_options import OF_A_SLOT
from shared.domain.quoting import shown

# The command as the rows of the catalogue name it, for any booking.
_CHOOSE: Final = "`oracode bookings choose`"


def add_notices(before: Booking | None, after: Booking, now: datetime) -> Booking:
    """Return `after` with the notices of the change from `before` added to its outbox.

    In this order: an outcome, the alerts that are over, the alerts that are new or say something new.
    """
    sequence = after.outcome_sequence
    outcome: tuple[OutcomeNotice, ...] = ()
    name = PUBLISHED.get(after.state)
    is_news = (
        before is None or _outcome_key(before) != _outcome_key(after) or bool(_new_pins(after) - _new_pins(before))
    )
    if name is not None and is_news:
        sequence += 1
        outcome = (OutcomeNotice(sequence=sequence, at=now, outcome=name, body=outcome_body(after)),)
    open_before = alerts_of(before, now) if before else {}
    open_after = alerts_of(after, now)
    resolved = tuple(
        replace(alert, raised=False, solved=_solved(alert, after))
        for key, alert in open_before.items()
        if key not in open_after
    )
    raised = tuple(
        alert
        for key, alert in open_after.items()
        if key not in open_before or _content_of(open_before[key]) != _content_of(alert)
    )
    return replace(after, outcome_sequence=sequence, outbox=(*after.outbox, *outcome, *resolved, *raised))


def _content_of(alert: AlertNotice) -> tuple[Any, ...]:
    """Return what is compared: a change of any of it is published again.

    Only another `happened` is news to people (`shared.domain.alerting.alert`). The rest, such as the slots on buttons,
    is stored with the alert, and its next message shows it.
    """
    return alert.happened, alert.choices, alert.code, alert.earlier_code


def _solved(alert: AlertNotice, after: Booking) -> str:
    """Return who solved the problem by choosing a slot; empty if nobody did."""
    choice = next((door.choice for door in after.doors if door.key == alert.door_key), None)
    if choice is None or alert.problem not in OF_A_SLOT:
        return ""
    return f"{shown(choice.by)} chose the slot {called(choice.name)}."


def _outcome_key(booking: Booking) -> tuple[Any, ...]:
    """Return what is compared: a change of any of it makes a new outcome."""
    return booking.state, booking.reason, booking.residual_access_until


def _new_pins(booking: Booking | None) -> set[tuple[str, datetime]]:
    """Return the doors for which the guest needs another PIN, each with the time since when."""
    if booking is None or booking.cancelled:
        return set()
    return {(door.key, at) for door in booking.doors if door.wanted and (at := door.new_pin_since) is not None}


def outcome_body(booking: Booking) -> dict[str, Any]:
    """Return the `data` of an outcome: never a PIN, nothing about the guest."""
    return asdict(
        OutcomeData(
            booking_id=booking.booking_id,
            revision=booking.revision,
            state=str(booking.state),
            reason=booking.reason,
            residual_access_until=_text(booking.residual_access_until),
            devices=[_outcome_of(door, cancelled=booking.cancelled) for door in booking.doors if door.wanted],
        )
    )


def _outcome_of(door: BookedDoor, *, cancelled: bool) -> OutcomeDevice:
    return OutcomeDevice(
        device_id=door.device_id,
        access_code_id=door.code.access_code_id if door.code else None,
        # The doors of a cancelled booking are closed one after the other. None of them may look ready meanwhile.
        status=str(State.CANCELLED if cancelled else door.state),
        reason=door.reason,
        starts_at=_text(door.code.window.starts_at) if door.code else None,
        ends_at=_text(door.code.window.ends_at) if door.code else None,
        pin_changed=door.new_pin_since is not None,
        pin_changed_at=_text(door.new_pin_since),
    )


def alerts_of(booking: Booking, now: datetime) -> dict[str, AlertNotice]:
    """Return the problems of the booking that people should know of, by their keys."""
    if booking.cancelled:
        return {}
    alerts = (
        _alert_of(booking, door, problem, detail, now)
        for door in booking.doors
        if door.wanted
        for problem, detail in problems_of(door)
    )
    return {alert.key: alert for alert in alerts}


def problems_of(door: BookedDoor) -> Iterator[tuple[str, str]]:
    """Yield the problems of one door, each with its detail: its reason, then what happened after its code was made."""
    is_over = door.state is State.ENDED
    if door.reason in PROBLEMS and not door.is_muted and (not is_over or door.reason == Reason.ALREADY_OVER):
        yield door.reason, door.detail
    if is_over or door.code is None:
        return
    if door.drift:
        yield Reason.SLOT_CHANGED, door.drift
    if door.same_pin_as:
        yield Reason.SAME_PIN, f"The lost one is access code {door.same_pin_as}."
    if _is_pin_unknown(door):
        yield Reason.PIN_CHANGED, ""


def _is_pin_unknown(door: BookedDoor) -> bool:
    """Say whether somebody must hear of a new PIN, and nobody has read it yet.

    Whether the guest had the PIN of an earlier code is known only where somebody read it here.
    """
    revealed_at = door.pin_revealed_at
    if door.pin_changed_at is not None and (revealed_at is None or revealed_at < door.pin_changed_at):
        return True
    return door.new_code_at is not None and revealed_at is not None and revealed_at < door.new_code_at


def _alert_of(booking: Booking, door: BookedDoor, problem: str, detail: str, now: datetime) -> AlertNotice:
    # The check-in decides how urgent an alert is, also where the door could never be read.
    check_in = check_in_of(booking.stay, door)
    choices = door.offers if problem == door.reason else ()
    return alert_notice(
        problem,
        key=alert_key(booking.booking_id, problem, door.key),
        subject=f"Booking {booking.booking_id} on {short(door.name) or door.device_id}",
        at=now,
        detail=detail,
        next_step=_steps_of(booking, door, problem),
        look_closer=f"oracode bookings show {quote(booking.booking_id)}",
        check_in=check_in.at if check_in else None,
        wall_check_in=check_in.wall if check_in else None,
        time_zone=door.time_zone,
        check_out=door.check_out,
        booking_id=booking.booking_id,
        device_id=door.device_id,
        door_key=door.key,
        choices=choices,
        choose=_choose_command(booking, door) if choices else "",
        inherited=door.inherited if problem == Reason.CODE_PROBLEM else "",
        code=door.code.window if door.code else None,
        earlier_code=earlier_code_of(booking, door),
    )


def next_step_of(booking: Booking, door: BookedDoor, problem: str, now: datetime, *, steps: str = "") -> str:
    """Return what is to be done now about a problem of one door, with commands ready to paste.

    `steps` are of this case, and go before the catalogue's.
    """
    notice = _alert_of(booking, door, problem, "", now)
    return next_step_now(replace(notice, next_step=steps) if steps else notice, now)


def _steps_of(booking: Booking, door: BookedDoor, problem: str) -> str:
    return PROBLEMS[problem].steps.replace(_CHOOSE, f"`{_choose_command(booking, door)}`")


def _choose_command(booking: Booking, door: BookedDoor) -> str:
    """Return the command that takes the nearest slot of the door; where it has none to offer, the one that says why."""
    several = sum(each.wanted for each in booking.doors) > 1
    offer = door.offers[0] if door.offers else None
    return choose_command(booking.booking_id, offer, door_key=door.key if several and offer else "")


def alert_key(booking_id: str, problem: str, door_key: str) -> str:
    """Return the key of the alert for a problem of a booking on one of its doors."""
    return f"booking/{booking_id}/{problem}/{door_key}"


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
