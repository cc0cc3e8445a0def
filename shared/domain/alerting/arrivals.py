"""The pre-arrival check: who arrives in the next hours, and whether the door will open.

A guest's arrival is one door of one booking. It is `ready` when Seam confirms the code; `on its way` while everything
goes as it should (Seam programs a code about an hour before its start); `at risk` when a person must act.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.alerting.door_problems import ACCOUNT_PROBLEM, DOOR_PROBLEM, KnownIssues, in_words, is_removed
from shared.domain.booking.advice import earlier_code_of
from shared.domain.booking.notices import next_step_of, problems_of
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import BookedDoor, Booking, State
from shared.domain.booking.stay_times import arrival_of, check_in_of
from shared.domain.door.issues import Issue, merge_issues
from shared.domain.stay.instants import CheckIn, instants_of

_INSIDE: Final = "The stay has begun, and there is no code."


class Readiness(StrEnum):
    """Whether the guest's door will open."""

    READY = "ready"
    ON_ITS_WAY = "on its way"
    AT_RISK = "at risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One door of one booking that a guest arrives at; `why` and `next_step` say what is wrong and what to do.

    `issues` are the errors and warnings of the door and its account that people are told: they may keep the door shut
    even if nothing is wrong with the guest's code. `check_in` is the booked time, without the unit's buffer. While the
    lock's zone isn't known it is the earliest possible moment, and `wall_check_in` is the time on the lock's clock. The
    code works from `starts_at` to `ends_at`; both are None without a code. If a PIN of an earlier revision also opens
    the door, it works from `earlier_starts_at` to `earlier_ends_at`.
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
    issues: tuple[Issue, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    label: str = ""
    earlier_starts_at: datetime | None = None
    earlier_ends_at: datetime | None = None

    @property
    def on_lock_clock(self) -> datetime:
        """The check-in as the lock's clock shows it: naive if the lock's zone isn't known."""
        if self.wall_check_in is not None:
            return self.wall_check_in
        return self.check_in.astimezone(ZoneInfo(self.time_zone)) if self.time_zone else self.check_in


def issues_not_in_why(arrival: Arrival) -> list[Issue]:
    """Return the issues of the door that `why` doesn't quote."""
    return [issue for issue in arrival.issues if issue.code not in arrival.why]


def first_check_in(booking: Booking) -> datetime | None:
    """Return the earliest moment at which a guest of the booking can come; None without a stay (only cancelled)."""
    known = [at for door in booking.doors if door.wanted and (at := arrival_of(booking.stay, door)) is not None]
    if known:
        return min(known)
    return instants_of(booking.stay, None)[0] if booking.stay is not None else None


def arrivals_of(
    bookings: Iterable[Booking],
    *,
    since: datetime,
    until: datetime,
    gone: Container[str] = (),
    known: Mapping[str, KnownIssues] | None = None,
    now: datetime | None = None,
) -> list[Arrival]:
    """Return the arrivals from `since` to `until`, the nearest first. Later codes of a split stay are no arrivals.

    If the zone of a lock isn't known, a booking counts if the guest comes in this time in any zone. `gone` are the
    doors that Seam doesn't know any more; `known` has the issues of doors by device id. An arrival at a door that is
    gone, or that has an issue that blocks, is at risk even if the code is confirmed. The next steps are those at `now`
    (by default `since`).
    """
    issues = {device_id: _told(each) for device_id, each in (known or {}).items()}
    found = []
    for booking in bookings:
        if booking.cancelled or booking.stay is None:
            continue
        for door in booking.doors:
            check_in = check_in_of(booking.stay, door)
            if not door.wanted or door.part > 1 or door.state is State.ENDED or check_in is None:
                continue
            if since <= check_in.latest and check_in.at <= until:
                of_door = issues.get(door.device_id, ())
                is_gone = door.device_id in gone or is_removed(of_door)
                found.append(_arrival(booking, door, check_in, of_door, is_gone=is_gone, now=now or since))
    return sorted(found, key=lambda each: (each.check_in, each.booking_id, each.device_id))


def is_inside_without_code(booking: Booking, arrival: Arrival, since: datetime, now: datetime) -> bool:
    """Say whether the guest of an arrival came before `since`, is to stay longer, and has no code for that door."""
    doors = [door for door in booking.doors if door.device_id == arrival.device_id and door.part <= 1 and door.wanted]
    if booking.stay is None or arrival.state is State.CANCELLED or arrival.starts_at is not None or not doors:
        return False
    check_in = check_in_of(booking.stay, doors[0])
    over_at = doors[0].check_out or instants_of(booking.stay, doors[0].time_zone)[1]
    return check_in is not None and check_in.latest < since and now < over_at


def as_inside(arrival: Arrival) -> Arrival:
    """Return the arrival as one of a stay that began without a code: at risk in every state of its door."""
    return replace(
        arrival,
        readiness=Readiness.AT_RISK,
        why=f"{_INSIDE} {arrival.why}".rstrip(),
        next_step=arrival.next_step or "Let the guest in by hand, and look at the booking.",
    )


def _told(known: KnownIssues) -> tuple[Issue, ...]:
    return tuple(issue for issue in merge_issues(known.of_door, known.of_account) if issue.meaning.is_told)


def _arrival(
    booking: Booking, door: BookedDoor, check_in: CheckIn, issues: tuple[Issue, ...], *, is_gone: bool, now: datetime
) -> Arrival:
    own = next(problems_of(door), None)
    blocking = [issue for issue in issues if issue.meaning.blocks]
    if own is not None:
        problem, detail = own
    elif is_gone:
        problem, detail = Reason.DOOR_GONE, ""
    elif blocking:
        problem = ACCOUNT_PROBLEM if all(issue.is_of_account for issue in blocking) else DOOR_PROBLEM
        detail = in_words(blocking)
    else:
        problem, detail = door.reason, ""
    trouble = PROBLEMS.get(problem)
    steps = ""
    if problem in (DOOR_PROBLEM, ACCOUNT_PROBLEM):
        steps = next((issue.meaning.next_step for issue in blocking if issue.meaning.next_step), "")
    earlier = earlier_code_of(booking, door)
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
        next_step=next_step_of(booking, door, problem, now, steps=steps) if trouble else "",
        issues=issues,
        starts_at=door.code.window.starts_at if door.code else None,
        ends_at=door.code.window.ends_at if door.code else None,
        label=booking.label or "",
        earlier_starts_at=earlier.starts_at if earlier else None,
        earlier_ends_at=earlier.ends_at if earlier else None,
    )


def _readiness(door: BookedDoor, problem: str) -> Readiness:
    if door.state in (State.WAITING, State.FAILED) or problem in PROBLEMS:
        return Readiness.AT_RISK
    return Readiness.READY if door.state is State.READY else Readiness.ON_ITS_WAY
