"""The clock on the wall beside a lock: zones by name, and the way between wall times and instants.

Every instant that leaves this module carries a fixed offset, never a `ZoneInfo`: Python compares
two datetimes of the same `ZoneInfo` by their wall times, which is wrong in the two nights a year
that matter here.
"""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

EARLIEST_YEAR = 2000
LATEST_YEAR = 9990
"""Years a booking may lie in: every real one does, and no date arithmetic overflows."""

DAY = 86_400_000_000
"""Microseconds of a wall-clock day: distances between wall times are plain integers of these."""

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")
# Files of the zone database that name whatever this machine is set to, or nothing at all.
_NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_NOT_ZONE_FOLDERS = ("posix/", "right/")


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of exactly this IANA name; None for abbreviations, offsets and paths."""
    if not _ZONE_NAME.fullmatch(name) or name in _NOT_ZONES or name.startswith(_NOT_ZONE_FOLDERS):
        return None
    try:
        return ZoneInfo(name)
    except (
        KeyError,
        ValueError,
        OSError,
    ):  # unknown; not a key; a folder of zones such as "America"
        return None


# Each write of a booking asks for the same few moments again and again.
@lru_cache(maxsize=4096)
def instant_at(wall: datetime, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """Return the moment at which a clock in `zone` shows `wall`, with the offset it has then.

    A time that the clock skips is taken later by what it skips (an hour, half an hour on Lord Howe
    Island); of a time that it shows twice the first is meant, or the `second`.
    """
    offset, other_offset = _offsets(wall, zone)
    if offset < other_offset:
        wall, offset = wall + (other_offset - offset), other_offset
    elif second:
        offset = other_offset
    return datetime.combine(wall.date(), wall.time(), timezone(offset))


def wall_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock in `zone` shows at `instant`, naive."""
    shown = instant.astimezone(zone)
    return datetime.combine(shown.date(), shown.time())  # a fifth of what `replace` takes


def same_clock(one: ZoneInfo, other: ZoneInfo, wall: datetime) -> bool:
    """Whether clocks of two zones run alike around `wall`, as in PST8PDT and US/Pacific."""
    if one is other:
        return True
    return _offsets(wall, one) == _offsets(wall, other)


def _offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Return the offsets of the first and second time that a clock shows `wall`: equal as a rule.

    Where the clock skips it, they are those before and after the skip (PEP 495), the second larger.
    """
    first = wall.replace(fold=0) if wall.fold else wall
    return _known(zone.utcoffset(first)), _known(zone.utcoffset(wall.replace(fold=1)))


def _known(offset: timedelta | None) -> timedelta:
    if offset is None:  # a ZoneInfo always knows for a date
        raise ValueError("a zone has no offset")
    return offset


def microseconds_of_day(wall: datetime) -> int:
    """Return how far into its day a wall time is."""
    return ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1_000_000 + wall.microsecond


def microseconds(duration: timedelta) -> int:
    """Return a duration as whole microseconds."""
    return (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds
