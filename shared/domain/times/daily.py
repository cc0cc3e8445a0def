"""A time of day at which something is done every day, on the clock of a named zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.times.wall_clock import find_zone, instant_at


@dataclass(frozen=True, slots=True)
class DailyTime:
    """A wall time and the zone whose clock shows it."""

    at: time
    time_zone: str

    def after(self, now: datetime) -> datetime:
        """Return the next such moment after `now`; one that a clock change skips comes an hour later."""
        zone = find_zone(self.time_zone) or ZoneInfo("UTC")
        today = now.astimezone(zone).date()
        days = (datetime.combine(today + timedelta(days=ahead), self.at) for ahead in range(3))
        return min(moment for day in days if (moment := instant_at(day, zone)) > now)


def parse_daily_time(text: str) -> DailyTime:
    """Read `07:00` (UTC) or `07:00 Europe/Vienna`. Raises ValueError that says what is wrong."""
    clock, _, zone = text.strip().partition(" ")
    zone = zone.strip() or "UTC"
    try:
        at = time.fromisoformat(clock)
    except ValueError:
        raise ValueError("is not a time of day like 07:00 Europe/Vienna") from None
    if at.tzinfo is not None:
        raise ValueError("names its zone behind a space: 07:00 Europe/Vienna")
    if zone != "UTC" and find_zone(zone) is None:
        raise ValueError(f"names a zone that is not known: {zone!r}")
    return DailyTime(at, zone)
