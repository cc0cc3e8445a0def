"""How fast Seam answers and how its calls fail, and how ready arrivals were day by day: parts of the health page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from receiver.console.operations import Call
from shared.ledger.readiness_history import AHEAD, ReadinessHistory
from shared.ledger.seam_call_counts import CallCounts, SeamCallCounts

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(hours=24)
_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamPathRow:
    """Calls of one path in the last hour and the last 24 hours.

    `half_within` and `most_within` are the times, in seconds, within which half and 99 of 100 calls of the day were
    answered, as upper ends of classes (0.1, 0.25, 0.5, 1, 2, 5, 10); None: beyond the last. `failures` are of the day,
    by kind.
    """

    path: str
    calls_hour: int
    failed_hour: int
    calls: int
    failed: int
    failures: dict[str, int]
    half_within: float | None
    most_within: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamHealth:
    """How Seam answers. `last_failure_at` is None where no call failed within a day."""

    paths: tuple[SeamPathRow, ...]
    last_failure_at: datetime | None
    last_failure_path: str
    last_failure_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessBar:
    """One day of the chart: how many arrivals were counted, and how they stood 24 hours before check-in."""

    day: date
    ready: int
    on_its_way: int
    at_risk: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessChart:
    """Thirty days up to tomorrow, whose arrivals are being counted. `most` is the most of any day.

    Arrivals that were booked within 24 hours of their check-in are in none of them.
    """

    days: tuple[ReadinessBar, ...]
    most: int
    ready: int
    total: int

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who can't see it."""
        if not self.total:
            return "No arrival was counted yet."
        at_risk = sum(each.at_risk for each in self.days)
        return (
            f"Of {self.total} arrivals in 30 days, {self.ready} were ready 24 hours before check-in,"
            f" {self.total - self.ready - at_risk} on their way and {at_risk} at risk."
        )


def read_seam(call: Call) -> SeamHealth:
    """Return how Seam answered the calls of all workers."""
    calls = SeamCallCounts(call.ports.redis, call.ports.clock)
    of_day, lately = calls.since_each(call.now - _DAY, call.now - _HOUR)
    of_hour = {each.path: each for each in lately}
    last = calls.last_failure()
    return SeamHealth(
        paths=tuple(_row(each, of_hour.get(each.path)) for each in of_day),
        last_failure_at=last.at if last else None,
        last_failure_path=last.path if last else "",
        last_failure_kind=last.kind if last else "",
    )


def _row(of_day: CallCounts, of_hour: CallCounts | None) -> SeamPathRow:
    return SeamPathRow(
        path=of_day.path,
        calls_hour=of_hour.calls if of_hour else 0,
        failed_hour=sum(of_hour.failures.values()) if of_hour else 0,
        calls=of_day.calls,
        failed=sum(of_day.failures.values()),
        failures=dict(of_day.failures),
        half_within=of_day.answered_within(0.5),
        most_within=of_day.answered_within(0.99),
    )


def read_readiness(call: Call) -> ReadinessChart:
    """Return how arrivals stood 24 hours before their check-in, over 30 days."""
    last = (call.now + AHEAD).date()
    days = ReadinessHistory(call.ports.redis).days(last - timedelta(days=_DAYS - 1), last)
    return ReadinessChart(
        days=tuple(
            ReadinessBar(
                day=each.day, ready=each.ready, on_its_way=each.on_its_way, at_risk=each.at_risk, total=each.total
            )
            for each in days
        ),
        most=max(each.total for each in days),
        ready=sum(each.ready for each in days),
        total=sum(each.total for each in days),
    )
