"""Times near those that were asked for, which would fit a slot of the door. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.domain.booking.planning import still_possible
from shared.domain.door.door import Door
from shared.domain.matching.match import MatchPolicy, match
from shared.domain.matching.stay_changes import StayChange
from shared.domain.matching.suggestions import suggest
from shared.domain.stay.stay import Stay


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTimes:
    """Times that would fit a slot, as they would be booked, on the lock's clock; None for the one that stays."""

    check_in: datetime | None
    check_out: datetime | None
    text: str


def other_times(stay: Stay, door: Door, policy: MatchPolicy, now: datetime) -> Iterator[OtherTimes]:
    """Yield the nearest times that a slot of the door would serve."""
    for each in still_possible(suggest(stay, door, policy, match(stay, door, policy)), now):
        if each.change.check_in is not None or each.change.check_out is not None:
            yield _booked_times(each.change, stay, each.text)


def _booked_times(change: StayChange, stay: Stay, text: str) -> OtherTimes:
    """Return the times of a suggestion without the unit's buffers: it moves the stay that has them."""
    check_in, check_out = change.check_in, change.check_out
    return OtherTimes(
        check_in=check_in.replace(tzinfo=None) + stay.buffer_before if check_in is not None else None,
        check_out=check_out.replace(tzinfo=None) - stay.buffer_after if check_out is not None else None,
        text=text,
    )
