"""The problem catalogue: which reasons need a person, what they are told, and who has to act. One row a reason.

The rows are in one module for each subject: `slots`, `codes`, `doors`, `seam`, `messages`, `system`. Other packages
import the joined table `PROBLEMS` from here. A reason without a row needs no person: `PlainReason`, or a reason of a
newer version.
"""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue import codes, doors, messages, seam, slots, system
from shared.domain.booking.problem_catalogue.reasons import PlainReason, Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

__all__ = ["PROBLEMS", "ClearedBy", "KeepsOut", "PlainReason", "ProblemRow", "Reason", "door_reasons", "is_cleared_by"]

PROBLEMS: Final[Mapping[str, ProblemRow]] = {
    **slots.ROWS,
    **codes.ROWS,
    **doors.ROWS,
    **seam.ROWS,
    **messages.ROWS,
    **system.ROWS,
}


def door_reasons() -> frozenset[str]:
    """Return every reason that a booking, or one of its doors, can have in an outcome."""
    of_doors = {reason for reason, row in PROBLEMS.items() if row.cleared_by is not ClearedBy.CONDITION}
    return frozenset(map(str, (*of_doors, *PlainReason)))


def is_cleared_by(reason: str, what: ClearedBy) -> bool:
    """Return whether `what` ends a problem of this reason. False for a reason that has no row."""
    row = PROBLEMS.get(reason)
    return row is not None and row.cleared_by is what
