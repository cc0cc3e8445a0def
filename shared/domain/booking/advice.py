"""The next step of an open alert, as of now: near check-in and after it, first let the guest in by hand. Pure.

It is computed when somebody reads the alert, so it changes as check-in comes nearer. After a change of the stay the
guest may still have the PIN of an earlier code, which may open the door too.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.booking.problem_catalogue import PROBLEMS, KeepsOut
from shared.domain.booking.record import AccessCode, AlertNotice, BookedDoor, Booking, Window
from shared.domain.booking.stay_times import check_in_of, over_at
from shared.domain.times.wall_clock import find_zone

LET_IN_BEFORE: Final = timedelta(hours=2)


def earlier_code_of(booking: Booking, door: BookedDoor) -> Window | None:
    """Return when an earlier code of this booking opens the door during its stay; None where none does.

    Of several it is the one that opens first. One that is being deleted doesn't count.
    """
    windows = (code.window for code in earlier_codes_of(booking, door))
    return min(windows, key=lambda window: (window.starts_at, -window.ends_at.timestamp()), default=None)


def earlier_codes_of(booking: Booking, door: BookedDoor) -> list[AccessCode]:
    """Return the earlier codes of this booking that open the door during its stay, but for those being deleted."""
    if not any(other.residual for other in booking.doors):
        return []
    check_in = check_in_of(booking.stay, door)
    ends_at = over_at(booking, door)
    if check_in is None or ends_at is None:
        return []
    return [
        code
        for other in booking.doors
        if other.device_id == door.device_id
        for code in other.residual
        if not _is_being_deleted(code) and code.window.starts_at < ends_at and check_in.at < code.window.ends_at
    ]


def _is_being_deleted(code: AccessCode) -> bool:
    return code.removal is not None and not code.removal.failure


def lets_in_by_hand(notice: AlertNotice, now: datetime, *, before: timedelta = LET_IN_BEFORE) -> bool:
    """Say whether guests must be let in by hand now: check-in is at most `before` away, and no code is sure to open."""
    row = PROBLEMS.get(notice.problem)
    if row is None or row.keeps_out is KeepsOut.NOBODY or notice.check_in is None:
        return False
    is_over = notice.check_out is not None and now >= notice.check_out
    if is_over or notice.check_in - now > before:
        return False
    if notice.code is not None and row.keeps_out is KeepsOut.WITHOUT_CODE:
        return False
    return not _opens_in_time(notice.earlier_code, notice.check_in, now)


def next_step_now(notice: AlertNotice, now: datetime, *, before: timedelta = LET_IN_BEFORE) -> str:
    """Return what is to be done now. `before` is how near check-in must be for letting the guest in to come first."""
    if not lets_in_by_hand(notice, now, before=before):
        return notice.next_step
    row = PROBLEMS[notice.problem]
    whom = "the guest" if notice.door_key else "guests who have no working code"
    earlier = notice.earlier_code
    until = ""
    if earlier is not None and earlier.starts_at > now:
        until = f": the guest's earlier PIN works only from {moment_text(earlier.starts_at, notice.time_zone)}"
    rest = notice.next_step.removesuffix(row.in_the_end).rstrip()
    return f"First let {whom} in by hand{until}. {rest}"


def earlier_pin_text(notice: AlertNotice, now: datetime) -> str:
    """Return from when to when the guest's earlier PIN opens the door; empty where there is none, or not any more."""
    earlier = notice.earlier_code
    return window_text(earlier, notice.time_zone) if earlier is not None and earlier.ends_at > now else ""


def window_text(window: Window | None, time_zone: str | None) -> str:
    """Return from when to when a code opens the door, on the lock's clock; empty without one."""
    if window is None:
        return ""
    starts_at = moment_text(window.starts_at, time_zone)
    return f"from {starts_at} to {moment_text(window.ends_at, time_zone)} {time_zone or 'UTC'}"


def moment_text(moment: datetime, time_zone: str | None) -> str:
    """Return a moment on the lock's clock, in UTC where nobody knows the lock's zone."""
    zone = find_zone(time_zone or "") or UTC
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def _opens_in_time(window: Window | None, check_in: datetime, now: datetime) -> bool:
    return window is not None and window.starts_at <= max(check_in, now) < window.ends_at
