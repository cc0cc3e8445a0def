"""Another check-in or check-out for a booking: what it would mean for each door, then the order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from receiver.console.commands import give, wait_for
from receiver.console.operations import Call, Conflict, Operation, Unusable
from receiver.console.views.booking import find
from receiver.console.views.booking_actions import Outcome, Why, is_refusal, note_of, outcome_of, who
from receiver.console.views.change_stay_view import ChangePreview, FieldProblem, Wanted, ends_booking, preview_of
from receiver.console.views.stay_fields import booked_times, fields_of, is_shown_as
from shared.console_tokens import Role
from shared.domain.booking.own_message import (
    ENDS,
    as_applied,
    changed_data,
    check_order,
    is_over,
    message_of,
    rules_as_booked,
    rules_for,
)
from shared.domain.booking.record import Booking
from shared.domain.booking.transitions import Repeated, Superseded
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem
from shared.domain.messages.time_fields import LONGEST_TIME
from shared.domain.quoting import shown
from shared.domain.stay.stay import UnitRules
from shared.ops_commands import CHANGE, LONGEST_REASON, OpsCommand

_TIME = Annotated[str, Field(max_length=LONGEST_TIME)]
_PLANNED_WITHIN: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuery:
    """The new times, as a booking message writes them; a local one is on the lock's clock. Empty: it stays."""

    check_in: _TIME = ""
    check_out: _TIME = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBody(Why):
    """The new times as in the preview, and why.

    `revision` is the one that the preview showed; without it the booking as it is now is meant. `accepts_no_code` is
    needed where the preview has a door for which no code can be made, and `knows_it_ends` instead where the booking
    ends for good by these times: they say that the person knows.
    """

    check_in: _TIME = ""
    check_out: _TIME = ""
    revision: int | None = None
    accepts_no_code: bool = False
    knows_it_ends: bool = False
    reason: Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]


def preview_change(call: Call) -> ChangePreview:
    """Say what other times would mean; nothing is done. Raises NotFound, Conflict; Unusable for a program.

    A page shows what is wrong beside its form instead.
    """
    booking = _changeable(call)
    stands, query = fields_of(booking), call.query
    if not query.check_in.strip() and not query.check_out.strip():
        return preview_of(call, booking, stands)
    try:
        wanted = _wanted(call, booking, query.check_in, query.check_out)
    except InvalidMessage as invalid:
        if not call.for_page:
            raise _unusable(invalid) from None
        problems = tuple(FieldProblem(field=it.field, text=_said(it)) for it in invalid.problems)
        return preview_of(call, booking, _given(query, stands), problems=problems)
    return preview_of(call, booking, _given(query, stands), wanted=wanted)


def change(call: Call) -> Outcome:
    """Change the stay, as the booking system would. Raises NotFound, Conflict, Unusable."""
    booking, body = _changeable(call), call.body
    if body.revision not in (None, booking.revision):
        stay = booked_times(booking)
        raise Conflict(f"The booking was changed since you looked: now it is {stay}. Nothing was done; look again.")
    try:
        wanted = _wanted(call, booking, body.check_in, body.check_out)
    except InvalidMessage as invalid:
        raise _unusable(invalid) from None
    ends = _check_accepted(call, booking, wanted)
    command = OpsCommand(
        action=CHANGE,
        target=booking.booking_id,
        by=who(call),
        reason=body.reason,
        check_in=wanted.check_in,
        check_out=wanted.check_out,
        revision=booking.revision,
        knows_it_ends=ends,
    )
    ledger = call.ports.ledger

    def is_decided(order_id: str) -> bool:
        if ledger.get(booking.booking_id).revision != booking.revision:
            return True
        return any(it.at >= call.now and is_refusal(it, order_id) for it in ledger.history(booking.booking_id))

    order = give(call.ports, command, until=is_decided)
    if order.is_done:
        # What became of the codes is the answer that a person waits for; it may take longer.
        wait_for(lambda: _is_planned(ledger.get(booking.booking_id)), within=_PLANNED_WITHIN)
    return outcome_of(call, booking, order, "The stay is changed.")


def _check_accepted(call: Call, booking: Booking, wanted: Wanted) -> bool:
    """Check that the person knows that the booking ends, or which doors are without a code then; say whether it ends.

    Raises Unusable. May ask Seam.
    """
    if ends_booking(call, wanted):
        if not call.body.knows_it_ends:
            raise Unusable({"knows_it_ends": f"must be true: {ENDS[0].lower()}{ENDS[1:]} Nothing was done"})
        # No door has a code then: that is known with it.
        return True
    if call.body.accepts_no_code:
        return False
    without = preview_of(call, booking, fields_of(booking), wanted=wanted).doors_without_code
    if without:
        named = ", ".join(f"“{shown(door.name)}”" for door in without)
        text = f"must be true: no code can be made then for {named}. Nothing was done; the preview says why"
        raise Unusable({"accepts_no_code": text})
    return False


def _changeable(call: Call) -> Booking:
    """Return the booking, where its stay can be changed. Raises NotFound, Conflict."""
    booking = find(call)
    if why := is_over(booking):
        raise Conflict(f"{booking.booking_id} {why}: its stay can't be changed.")
    if booking.stay is None:
        raise Conflict(f"{booking.booking_id} has no stay that could be changed.")
    return booking


def _wanted(call: Call, booking: Booking, check_in: str, check_out: str) -> Wanted:
    """Return what these times ask for. Raises InvalidMessage."""
    stands = fields_of(booking)
    given = {
        name: text.strip() if text.strip() and not is_shown_as(text, stands[name]) else ""
        for name, text in (("check_in", check_in), ("check_out", check_out))
    }
    nothing_new = InvalidMessage((Problem("check_out", "the booking has these times already", "give another time"),))
    if not any(given.values()):
        raise nothing_new
    data = changed_data(booking, {name: text or None for name, text in given.items()})
    _, message = message_of(booking, MessageType.UPDATED, data, message_id="ops-command/preview")
    try:
        change = as_applied(booking, message, _rules(call, booking, message), now=call.now)
    except (Repeated, Superseded):
        raise nothing_new from None
    if change.booking.stay is None or change.booking.stay == booking.stay:
        raise nothing_new
    check_order(booking, change.booking.stay, [door.device_id for door in change.booking.doors if door.wanted])
    return Wanted(check_in=given["check_in"], check_out=given["check_out"], message=message, change=change)


def _rules(call: Call, booking: Booking, message: BookingMessage) -> UnitRules | None:
    """Return the rules of the booking's unit; without a DOORS_FILE here, as the booking shows them."""
    units = call.ports.places.units()
    return rules_as_booked(booking, message) if units is None else rules_for(message, units)


def _is_planned(booking: Booking) -> bool:
    """Say whether every door has been planned for the booking's newest revision."""
    return all(door.planned_revision == booking.revision for door in booking.doors if door.wanted)


def _given(query: ChangeQuery, stands: Mapping[str, str]) -> dict[str, str]:
    return {
        "check_in": query.check_in.strip() or stands["check_in"],
        "check_out": query.check_out.strip() or stands["check_out"],
    }


def _said(problem: Problem) -> str:
    return f"{problem.wrong}; {problem.right}" if problem.right else problem.wrong


def _unusable(invalid: InvalidMessage) -> Unusable:
    return Unusable({problem.field: _said(problem) for problem in invalid.problems})


_PATH: Final = "/bookings/{booking_id}/change"
OPERATIONS: Final = (
    Operation(
        name="change_preview",
        method="GET",
        path=_PATH,
        role=Role.OPERATOR,
        summary="What another check-in or check-out would mean for each door. May ask Seam; does nothing.",
        handle=preview_change,
        query=ChangeQuery,
        answer=ChangePreview,
        page=_PATH,
        template="change.html",
        errors=(400, 404, 409),
    ),
    Operation(
        name="change_booking",
        method="POST",
        path=_PATH,
        role=Role.OPERATOR,
        summary="Change check-in or check-out of the booking, as its booking system would.",
        handle=change,
        answer=Outcome,
        body=ChangeBody,
        page=_PATH,
        leads_to="/bookings/{booking_id}",
        note=note_of,
        errors=(400, 404, 409),
    ),
)
