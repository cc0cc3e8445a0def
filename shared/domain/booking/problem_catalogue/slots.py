"""The stay and the door's time slots: no code can be made, or one was made for a slot that changed since."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.NO_SLOT: ProblemRow(
        "No time slot of the door is within 60 minutes of this stay's check-in and check-out.",
        "Move the stay to a slot of the door, choose one with `oracode bookings choose`, or ask the installer for one.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NO_SLOTS_CONFIGURED: ProblemRow(
        "The door has no time slots at all, so no code can be made for anybody.",
        "Ask the dormakaba installer to set up time slots; Seam knows of them about 30 minutes later.",
        "installer",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NO_TIME_ZONE: ProblemRow(
        "Neither the door's time slots nor the device name a time zone.",
        "Ask Seam's support to set the door's time zone.",
        "seam",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.OFFLINE_CODES_UNSUPPORTED: ProblemRow(
        "Seam says that this door can't take offline codes.",
        "Check at Seam that the door is an Oracode door whose site is approved.",
        "seam",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.TOO_LONG: ProblemRow(
        "The stay is longer than 31 days, the longest time for which an Oracode code can work.",
        "Split the stay into parts of at most 31 days, each a booking of its own.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.SLOT_CHANGED: ProblemRow(
        "The door's time slots were changed after this code was made.",
        "Ask the installer whether codes made before the change still open the door; else move the guest.",
        "installer",
        cleared_by=ClearedBy.CONDITION,
    ),
}
