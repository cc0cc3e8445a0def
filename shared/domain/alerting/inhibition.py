"""Inhibition: while Seam can't be reached, people are told of Seam, not of each of a hundred bookings.

One alert (the parent) stands for many (its children). Children are recorded, but never told themselves. The parent is
open while any child is (`shared.domain.alerting.parent_alert`). Other problems of a booking have other keys and are
told by themselves. Alerts of a door or an account inhibit those of its codes, too: `worker.alerts.inhibition_by_doors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True)
class Parent:
    """One cause: the key of its alert, its row in the problem catalogue, and its subject."""

    key: str
    problem: str
    subject: str


_PARENTS: Final[Mapping[str, Parent]] = {
    Reason.SEAM_UNAVAILABLE: Parent("seam/unavailable", Reason.SEAM_UNAVAILABLE, "Seam is away"),
    Reason.SEAM_UNAUTHORIZED: Parent("seam/unauthorized", Reason.SEAM_UNAUTHORIZED, "Seam refuses our key"),
}
PARENTS_BY_KEY: Final = {parent.key: parent for parent in _PARENTS.values()}


def parent_of(notice: AlertNotice) -> Parent | None:
    """Return the parent that is told instead of this problem; None if there is none. A parent has no parent."""
    if notice.key in PARENTS_BY_KEY or (row := PROBLEMS.get(notice.problem)) is None or row.parent is None:
        return None
    return _PARENTS[row.parent]
