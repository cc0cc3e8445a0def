"""The times of day in an Oracode slot, in every spelling that Seam's documentation shows.

`07:00:00[America/Los_Angeles]` and `15:30:00[PST8PDT]` (Seam's "Offline Access Code Support and
Requirements" for dormakaba Oracode), `15:30:00-08:00[America/Los_Angeles]` ("Programming Offline
Access Codes on Dormakaba Oracode Locks"), and the shorter forms that Seam's own zoned-time library
prints (`15:30[PST8PDT]`, with fractions).

An offset was right when the string was written and is wrong half the year, so it is ignored where a
zone stands beside it, and refused where it stands alone.
"""

import re
from dataclasses import dataclass, field
from datetime import time, timedelta

from shared.domain.quoting import quoted
from shared.domain.times.wall_clock import find_zone

_LONGEST = 120
_WRITTEN = re.compile(
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2}))?"
    r"(?:\[(?P<zone>[^\[\]]*)\])?"
)


class UnreadableTime(ValueError):
    """A time of day that can't be read; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time on a slot's clock: `zone` is an IANA name that exists, None where there is none.

    `offset` is kept only so that a person can be told when it matches no season of the zone;
    nothing is computed from it. `microsecond_of_day` is `at` as a number, made once because every
    match needs it.
    """

    at: time
    zone: str | None = None
    offset: timedelta | None = None
    microsecond_of_day: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_day = ((self.at.hour * 60 + self.at.minute) * 60 + self.at.second) * 1_000_000
        object.__setattr__(self, "microsecond_of_day", of_day + self.at.microsecond)

    def __str__(self) -> str:
        return show_time(self.at)


def show_time(at: time) -> str:
    """Return a time of day as people write it: `16:00`, with seconds only where there are some."""
    return at.isoformat("minutes" if not (at.second or at.microsecond) else "auto")


def parse_time_of_day(text: str) -> TimeOfDay:
    """Read a slot's time; raise UnreadableTime.

    An impossible time, an unknown zone and an offset that stands alone are unreadable.
    """
    written = _WRITTEN.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if written is None:
        raise UnreadableTime(f"{quoted(text)} is not a time of day such as 16:00:00[America/Los_Angeles]")
    fraction = (written["fraction"] or "").ljust(6, "0")[:6]
    try:
        at = time(int(written["hour"]), int(written["minute"]), int(written["second"] or 0), int(fraction))
    except ValueError:
        raise UnreadableTime(f"{quoted(text)} is a time that no clock shows") from None
    name = written["zone"]
    if name is None and written["offset"]:
        raise UnreadableTime(f"{quoted(text)} has an offset without a zone, which is right for half the year only")
    if name is not None and find_zone(name) is None:
        raise UnreadableTime(f"{quoted(text)} names the zone {quoted(name)}, which doesn't exist")
    return TimeOfDay(at, name, _offset(written))


def _offset(written: re.Match[str]) -> timedelta | None:
    if not written["offset"]:
        return None
    if not written["sign"]:
        return timedelta()
    offset = timedelta(hours=int(written["hours"]), minutes=int(written["minutes"]))
    return -offset if written["sign"] == "-" else offset
