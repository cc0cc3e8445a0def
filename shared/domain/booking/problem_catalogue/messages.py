"""Messages from and to booking systems: unusable, refused, missing, or not taken."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.INVALID_BOOKING: ProblemRow(
        "The booking can't be used as it was sent.",
        "Correct it in the booking system and send it again.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.ALREADY_OVER: ProblemRow(
        "The booking came after its own check-out: no code was made for these times.",
        "Check its dates in the booking system; if the year is wrong, correct it there and send the booking again.",
        "ops",
    ),
    Reason.BOOKING_PARKED: ProblemRow(
        "The booking's message could not be used and was put aside: no code is made from it.",
        "Read the whole message with `oracode parked show`, fix the cause, then replay it or send the booking again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.CHANGE_PARKED: ProblemRow(
        "A change of a booking could not be used and was put aside: the booking keeps its old times and doors.",
        "Read the whole message with `oracode parked show`, fix it, then replay it or send the change again; or use"
        " `oracode bookings change`, and discard the message.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
    ),
    Reason.CANCELLATION_PARKED: ProblemRow(
        "A cancellation could not be used and was put aside: nothing is cancelled, and a code that exists stays valid.",
        "Read the whole message with `oracode parked show`. If the booking is cancelled, use `oracode bookings cancel`,"
        " and discard the message; else fix it, then replay it.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.MESSAGE_PARKED: ProblemRow(
        "Messages could not be used and were put aside.",
        "Look at them with `oracode parked list`, fix the cause, then replay or discard them.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.CANCELLATION_UNKNOWN: ProblemRow(
        "A cancellation names a booking that is not known here: nothing was cancelled.",
        "Compare its id with the booking system. If it is misspelled, cancel the right booking with `oracode bookings"
        " cancel`; if its booking was never sent, there is nothing to do.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BOOKING_REFUSED: ProblemRow(
        "`POST /bookings` refused what a booking system sent, and stored nothing of it: a booking that exists stays as"
        " it was, and for a new one no code is made.",
        "Have the booking system send it again as it should be. What can't wait, do yourself with `oracode bookings"
        " change` or `oracode bookings cancel`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
    ),
    Reason.BOOKING_REJECTED: ProblemRow(
        "Messages from RabbitMQ aren't JSON in UTF-8 and were put aside. Their bookings are not known here.",
        "Take them from the queue `booking-created.rejected`. Have their sender fix them and send them again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BRIDGE_STUCK: ProblemRow(
        "No bookings come in from RabbitMQ: fetching or storing them failed several times in a row.",
        "Look at RabbitMQ, and at the worker's log for `bridge.`; it is tried again automatically.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BOOKINGS_SILENT: ProblemRow(
        "No booking message has arrived for longer than ALERTS_FILE allows.",
        "Check that the booking system still publishes; send one by hand with `oracode bookings publish`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.OUTCOMES_NOT_TAKEN: ProblemRow(
        "A booking system took no outcomes for three days, so it doesn't know what became of its bookings.",
        "Fix its receiver, or its address in OUTCOME_WEBHOOK_URLS; then send them again: `oracode outcomes resend`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}
