"""Which bookings a problem of one or more doors affects, nearest check-in first, and the alert for it. Pure."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.causes import Cause
from shared.domain.booking.record import AlertNotice, BookedDoor, Booking, State
from shared.domain.booking.stay_times import check_in_of, over_at
from shared.domain.matching.manual_choice import short
from shared.domain.stay.instants import CheckIn
from shared.domain.times.wall_clock import find_zone

_LOOK_CLOSER: Final = "oracode arrivals"


@dataclass(frozen=True, slots=True)
class AffectedDoor:
    """One door of one booking whose stay is not over.

    `check_in` is None for a guest who is inside and has a code: the code is on the lock already.
    """

    booking_id: str
    door: BookedDoor
    check_in: CheckIn | None
    over_at: datetime

    @property
    def subject(self) -> str:
        """The booking in words, with its check-in on the lock's clock."""
        name = short(self.door.name) or self.door.device_id
        return f"Booking {self.booking_id} on {name}, {self._check_in_in_words()}"

    def _check_in_in_words(self) -> str:
        if self.check_in is None:
            return "guest inside"
        if self.check_in.wall is not None:
            return f"check-in {self.check_in.wall:%a %Y-%m-%d %H:%M} on the lock's clock"
        zone = find_zone(self.door.time_zone) if self.door.time_zone else None
        at = self.check_in.at.astimezone(zone) if zone else self.check_in.at
        return f"check-in {at:%a %Y-%m-%d %H:%M %Z}".rstrip()


def affected_doors(bookings: Iterable[Booking], device_ids: Container[str], now: datetime) -> list[AffectedDoor]:
    """Return the doors of bookings that a problem of these devices affects; guests who are inside come last."""
    found = [
        AffectedDoor(booking.booking_id, door, _still_to_come(booking, door, now), ends_at)
        for booking in bookings
        for door in booking.doors
        if door.device_id in device_ids
        and door.wanted
        and not booking.cancelled
        and door.state is not State.ENDED
        and (ends_at := over_at(booking, door)) is not None
        and ends_at > now
    ]
    latest = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(
        found, key=lambda each: (each.check_in.at if each.check_in else latest, each.booking_id, each.door.key)
    )


def cause_of(notice: AlertNotice, affected: list[AffectedDoor], *, hurries: bool = True) -> Cause:
    """Return the cause for the alert of a problem that affects these doors of bookings; `affected` must not be empty.

    `notice` is the alert without the bookings. If it `hurries`, the nearest check-in decides the severity. Otherwise it
    is a warning, however near check-in is.
    """
    nearest = next((each for each in affected if each.check_in is not None), affected[0])
    check_in = nearest.check_in if hurries else None
    notice = replace(
        notice,
        look_closer=_LOOK_CLOSER,
        check_in=check_in.at if check_in else None,
        wall_check_in=check_in.wall if check_in else None,
        time_zone=nearest.door.time_zone,
        check_out=max(each.over_at for each in affected),
    )
    subjects = tuple(dict.fromkeys(each.subject for each in affected))
    return Cause(notice, len({each.booking_id for each in affected}), subjects)


def _still_to_come(booking: Booking, door: BookedDoor, now: datetime) -> CheckIn | None:
    """Return the check-in of a guest who may still come, or who came and has no code."""
    check_in = check_in_of(booking.stay, door)
    return check_in if check_in is not None and (check_in.latest > now or door.code is None) else None
