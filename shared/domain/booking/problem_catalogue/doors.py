"""The door itself, and its guests: it is gone, broken or full, or two guests have it at the same time."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.DEVICE_NOT_FOUND: ProblemRow(
        "Seam knows no door with this device_id.",
        "Correct the booking's device_ids or the doors file, then retry the booking.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_GONE: ProblemRow(
        "The door was removed at Seam, and guests are booked on it.",
        "Look in Seam's console whether the door or its site was removed, and connect it again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_TROUBLE: ProblemRow(
        "Seam reports a problem with the door itself.",
        "Read Seam's words, and look at the door in Seam's console.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_FULL: ProblemRow(
        "The lock is full: it holds as many codes as it can. The next code that ends makes room.",
        "Wait: the code is tried again automatically, nearest arrival first.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="If there is no code by check-in, let the guest in by hand.",
    ),
    Reason.NEARLY_FULL: ProblemRow(
        "The lock is nearly full, and Oracode codes can't be deleted.",
        "Make codes for this door later (a shorter lead time), and make none by hand.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.DOUBLE_BOOKED: ProblemRow(
        "The same door is booked twice for overlapping stays. Both bookings get their codes.",
        "Find out which booking is right; cancel the other in the booking system, or move it to another door.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.RESIDUAL_OVERLAP: ProblemRow(
        "A code that no booking needs any more still opens the door during another guest's stay.",
        "The code can't be taken back; it ends by itself. Give the later guest another door, or ask the earlier one to"
        " stay away. The installer can shut out a code only by setting up the lock again, which ends all its codes.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}
