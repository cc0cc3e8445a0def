"""What Seam says of one code: it refused to make it, changed it, lost it, or doesn't confirm it."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.REFUSED_BY_SEAM: ProblemRow(
        "Seam refused to make the code.",
        "Read Seam's reason, fix the cause, then retry the booking.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="If that comes too late, let the guest in by hand.",
    ),
    Reason.CODE_PROBLEM: ProblemRow(
        "Seam reports a problem with the code.",
        "Read what Seam says, and fix what it names. This alert closes automatically once Seam takes it back; a retry"
        " only looks sooner.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if it isn't fixed by check-in.",
    ),
    Reason.CODE_GONE: ProblemRow(
        "Seam doesn't have the code any more, although the stay isn't over.",
        "Retry the booking to have a new code made, and give it to the guest.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.LATE_SET: ProblemRow(
        "Seam should have confirmed the code by now, and hasn't.",
        "Look at the code in Seam's console.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if check-in comes first.",
    ),
    Reason.IN_DOUBT: ProblemRow(
        "A code may or may not have been made, and Seam can't be asked.",
        "Wait: this service looks the code up at Seam before it does anything else.",
        "seam",
        quotes_detail=False,
        parent=Reason.SEAM_UNAVAILABLE,
        cleared_by=ClearedBy.SEAM_ANSWERING,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.WINDOW_DIFFERS: ProblemRow(
        "The code has other times at Seam than we asked for.",
        "Compare both times, and tell the guest when the code works.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.USER_LEVEL_DIFFERS: ProblemRow(
        "Seam made the code for another user level of the lock than the booking was matched to.",
        "Check in the lock's configuration what that level opens.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if need be.",
    ),
    Reason.CHANGED_OUTSIDE: ProblemRow(
        "The code isn't as it was made: its PIN or its times may be different.",
        "Find out who changed it and why, compare its times with the booking, and reveal the PIN again for the guest.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.REMOVED_OUTSIDE: ProblemRow(
        "The code doesn't open the door any more.",
        "Put the code back at the lock. Or delete it in Seam's console: the booking then says that it is gone, and a"
        " retry makes a new one.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let a guest who arrives before that in by hand.",
    ),
    Reason.CODE_UNMANAGED: ProblemRow(
        "Seam doesn't manage the code any more: it may open the door, but nobody watches it.",
        "Convert it back to managed in Seam's console; this alert then closes automatically.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.PIN_CHANGED: ProblemRow(
        "Tell the guest: a new PIN. The code, or its PIN, was replaced after the old one was given out.",
        "Reveal the new PIN with `oracode codes reveal`, and give it to the guest: that closes this alert.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.SAME_PIN: ProblemRow(
        "The new code has the same PIN as the lost one: anybody who has that PIN can still come in.",
        "Move the guest to another door, or take another slot with `oracode bookings choose`: that makes another code.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}
