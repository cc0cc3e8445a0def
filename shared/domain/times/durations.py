"""Durations as people write them in settings and in the doors file: `90s`, `10m`, `6h`, `14d`."""

import re
from datetime import timedelta

_WRITTEN = re.compile(r"([0-9]{1,7})([smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_RIGHT = "write a whole number and one of s, m, h, d, such as 90s, 10m, 6h or 14d"


def parse_duration(text: str, *, allow_zero: bool = False) -> timedelta:
    """Return the duration that `text` names; raise ValueError saying what would be right.

    It is one number and one unit, with nothing between or around them. Zero is refused unless `allow_zero`: "retry
    every 0s" is a mistake, "buffer of 0m" isn't.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(f"{text[:40]!r} is not a duration: {_RIGHT}")
    duration = int(written[1]) * _UNITS[written[2]]
    if not duration and not allow_zero:
        raise ValueError(f"{text!r} is no time at all: it must be longer than zero")
    return duration
