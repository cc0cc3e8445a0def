"""The pre-arrival check: who arrives in the next hours, and whether the door will open.

A guest's arrival is one door of one booking. It is `ready` when Seam confirms the code; `on its way` while everything
goes as it should (Seam programs a code about an hour before its start); `at risk` when a person must look.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.notices import next_step_of, problems_of
from shared.domain.records import BookedDoor, Booking, State
from shared.domain.stay_times import CheckIn, arrival_of, check_in_of, instants_of
from shared.domain.troubles import TROUBLES


class Readiness(StrEnum):
    """How an arrival stands."""

    READY = "ready"
    ON_ITS_WAY = "on its way"
    AT_RISK = "at risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One door of one booking whose guest is due; `why` and `next_step` say what is wrong and what to do.

    While nobody knows the lock's zone, `check_in` is the earliest moment, and `wall_check_in` what its clock shows.
    """

    booking_id: str
    device_id: str
    door_name: str
    check_in: datetime
    wall_check_in: datetime | None
    time_zone: str | None
    state: State
    readiness: Readiness
    reason: str
    why: str
    next_step: str


def first_check_in(booking: Booking) -> datetime | None:
    """Return the earliest moment that somebody of the booking can come; None for a mere cancellation."""
    known = [at for door in booking.doors if door.wanted and (at := arrival_of(booking.stay, door)) is not None]
    if known:
        return min(known)
    return instants_of(booking.stay, None)[0] if booking.stay is not None else None


def arrivals_of(
    bookings: Iterable[Booking], *, since: datetime, until: datetime, gone: Container[str] = ()
) -> list[Arrival]:
    """Return the arrivals of this time, the nearest first. Later codes of a split stay are no arrivals.

    Whoever may come in this time counts, wherever a lock is whose zone nobody knows.
    `gone` are the doors that Seam doesn't know any more: whoever arrives there is at risk, whatever the code says.
    """
    found = []
    for booking in bookings:
        if booking.cancelled or booking.stay is None:
            continue
        for door in booking.doors:
            check_in = check_in_of(booking.stay, door)
            if not door.wanted or door.part > 1 or door.state is State.ENDED or check_in is None:
                continue
            if since <= check_in.latest and check_in.at <= until:
                found.append(_arrival(booking, door, check_in, is_gone=door.device_id in gone))
    return sorted(found, key=lambda each: (each.check_in, each.booking_id, each.device_id))


def _arrival(booking: Booking, door: BookedDoor, check_in: CheckIn, *, is_gone: bool) -> Arrival:
    problem, detail = next(problems_of(door), ("door_gone" if is_gone else door.reason, ""))
    trouble = TROUBLES.get(problem)
    return Arrival(
        booking_id=booking.booking_id,
        device_id=door.device_id,
        door_name=door.name or door.device_id,
        check_in=check_in.at,
        wall_check_in=check_in.wall,
        time_zone=door.time_zone,
        state=door.state,
        readiness=_readiness(door, problem),
        reason=problem,
        why=f"{trouble.happened} {detail}".strip() if trouble else "",
        next_step=next_step_of(booking, door, problem) if trouble else "",
    )


def _readiness(door: BookedDoor, problem: str) -> Readiness:
    if door.state in (State.WAITING, State.FAILED) or problem in TROUBLES:
        return Readiness.AT_RISK
    return Readiness.READY if door.state is State.READY else Readiness.ON_ITS_WAY
