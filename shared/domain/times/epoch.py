"""Moments as the data server orders by them: whole milliseconds since 1970."""

from datetime import UTC, datetime


def milliseconds(moment: datetime) -> int:
    """Return an aware moment in milliseconds since 1970; a fraction is cut off."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(number: int) -> datetime:
    """Return the moment so many milliseconds after 1970, in UTC."""
    return datetime.fromtimestamp(number / 1000, UTC)
