"""How many messages a channel gets: a token bucket, as a value. It delays, it never drops."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain import versions
from shared.domain.versions import NOT_IN_JSON, UnknownFields


@dataclass(frozen=True, slots=True)
class Rate:
    """Up to `burst` messages at once, and one more after each `every`."""

    burst: int = 20
    every: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a channel may still get: `left` as of `at`."""

    left: float
    at: datetime
    schema: str = versions.CHANNEL_BUDGET
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def spend(budget: Budget | None, rate: Rate, now: datetime, *, at_any_price: bool) -> tuple[Budget, datetime | None]:
    """Take one message; return what is left, and when to come again where there is none.

    `at_any_price` takes it anyway, and lets those wait longer that come after.
    """
    before = budget or Budget(rate.burst, now)
    left = min(float(rate.burst), before.left + max(timedelta(), now - before.at) / rate.every)
    if left >= 1 or at_any_price:
        return replace(before, left=max(left - 1, -float(rate.burst)), at=now), None
    return replace(before, left=left, at=now), now + (1 - left) * rate.every
