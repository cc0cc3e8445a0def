"""Times and lengths in the words of operators: lock-local, short, the same everywhere."""

from datetime import datetime, timedelta

from shared.domain.times.time_of_day import show_time


def show_wall(at: datetime) -> str:
    """Return a wall time such as `2026-12-01 15:45`."""
    return f"{at.date().isoformat()} {show_time(at.time())}"


def show_span(starts_at: datetime, ends_at: datetime) -> str:
    """Return two times to the minute, such as `2026-12-01 16:00 to 2026-12-03 10:00`, each on its own clock."""
    return f"{starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M}"


def show_day_and_time(at: datetime) -> str:
    """Return a moment such as `Thu 3 Dec 2026, 10:00`, on its own clock."""
    return f"{at:%a} {at.day} {at:%b %Y}, {at:%H:%M}"


def show_length(length: timedelta) -> str:
    """Return how long that is, whatever its sign: `45 min`, `1 h 30 min`, `3 days 2 h`."""
    seconds = abs(length) // timedelta(seconds=1)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [
        f"{days} day{'s' * (days != 1)}" if days else "",
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{seconds} s" if seconds else "",
    ]
    return " ".join(filter(None, parts)) or ("0 min" if not length else "less than 1 s")


def show_gap(gap: timedelta) -> str:
    """Return a signed gap, slot minus booking, as a person says it: `15 min later`."""
    if not gap:
        return "exact"
    return f"{show_length(gap)} {'later' if gap > timedelta() else 'earlier'}"
