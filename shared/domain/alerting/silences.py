"""Silences: problems that people don't want to be told of for a while. Each has an end, so none is forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Holds back every open problem that meets all conditions; an empty condition is always met."""

    silence_id: str
    until: datetime
    key: str = ""
    problem: str = ""
    device_id: str = ""
    booking_id: str = ""
    by: str = ""
    why: str = ""

    @property
    def has_condition(self) -> bool:
        """Whether it has a condition."""
        return bool(self.key or self.problem or self.device_id or self.booking_id)

    def matches(self, notice: AlertNotice) -> bool:
        """Say whether it holds `notice` back; its `key` is a glob pattern."""
        return (
            self.has_condition
            and (not self.key or fnmatchcase(notice.key, self.key))
            and (not self.problem or notice.problem == self.problem)
            and (not self.device_id or notice.device_id == self.device_id)
            and (not self.booking_id or notice.booking_id == self.booking_id)
        )


def silent_until(notice: AlertNotice, silences: Iterable[Silence], now: datetime) -> datetime | None:
    """Return until when the problem is held back; None if it isn't."""
    return max((one.until for one in silences if one.until > now and one.matches(notice)), default=None)
