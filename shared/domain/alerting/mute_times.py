"""Mute times: the part of each day in which alerts that aren't urgent are held back."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class MuteTime:
    """From `starts` to `ends` on the clock of `time_zone`; over midnight if `ends` is the earlier time of day."""

    starts: time
    ends: time
    time_zone: str

    def until(self, now: datetime) -> datetime | None:
        """Return the end of the mute time at `now`, aware; None outside of it."""
        zone = ZoneInfo(self.time_zone)
        local = now.astimezone(zone)
        clock = local.time()
        if self.starts <= self.ends:
            is_quiet, is_next_day = self.starts <= clock < self.ends, False
        else:
            is_quiet, is_next_day = clock >= self.starts or clock < self.ends, clock >= self.starts
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=1 if is_next_day else 0)
        end = datetime.combine(day, self.ends, zone).astimezone(now.tzinfo)
        # In the hour that is repeated when the clocks go back, `ends` may have passed once already: take the second.
        return end if end > now else datetime.combine(day, self.ends, zone).replace(fold=1).astimezone(now.tzinfo)
