"""The severity of a problem. It follows from the time that is left until check-in."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

PAGE_BEFORE: Final = timedelta(hours=2)
WARN_BEFORE: Final = timedelta(hours=24)


class Severity(StrEnum):
    """How urgently people are told."""

    INFO = "info"
    WARNING = "warning"
    PAGE = "page"

    @property
    def rank(self) -> int:
        """0 for the lowest level; for comparing levels."""
        return _RANKS[self]


_RANKS: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.PAGE: 2}


def severity(
    check_in: datetime | None,
    now: datetime,
    *,
    check_out: datetime | None = None,
    page_before: timedelta = PAGE_BEFORE,
    warn_before: timedelta = WARN_BEFORE,
) -> Severity:
    """Return the severity of a problem. Without a check-in it is a warning; after check-out it isn't urgent."""
    if check_in is None:
        return Severity.WARNING
    if check_out is not None and now >= check_out:
        return Severity.INFO
    left = check_in - now
    if left <= page_before:
        return Severity.PAGE
    return Severity.WARNING if left <= warn_before else Severity.INFO
