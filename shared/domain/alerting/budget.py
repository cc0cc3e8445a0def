"""How many messages a channel gets, and which comes first: a token bucket with a queue, as a value.

It delays, it never drops. A message that comes early leaves enough for those with an earlier turn.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from shared.domain import versions
from shared.domain.versions import NOT_IN_JSON, UnknownFields


class Priority(Enum):
    """What a message is. Its value is how much later a message counts as come than it did."""

    PAGE = None
    """Sent at once, whatever waits."""
    WARNING = timedelta()
    INFO = timedelta(minutes=15)
    RESOLVED = timedelta(minutes=30)


# A message far back in the queue is tried again after this: others may have left the queue.
_LOOKS_AGAIN: Final = timedelta(minutes=1)
# For so long after its time a place is kept for one that doesn't come: its worker was killed, and the next takes the
# work up after the lease of the due-set. Or a worker of an older version has sent it, and knows of no places.
_IS_WAITED_FOR: Final = timedelta(minutes=2)
# Further back is no place: so the record stays small.
MOST_WAITING: Final = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """Up to `burst` messages at once, and one more after each `every`."""

    burst: int = 20
    every: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that waits for its turn, by a name of its own, `since` it came first. It has its place `until` then.

    `turn` orders the queue: when it came, later by what its priority says.
    """

    name: str
    since: datetime
    turn: datetime
    until: datetime
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a channel may still get: `left` as of `at`; and what waits for it, in its order."""

    left: float
    at: datetime
    waiting: tuple[Waiting, ...] = ()
    schema: str = versions.CHANNEL_BUDGET
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def spend(
    budget: Budget | None, rate: Rate, now: datetime, *, name: str, priority: Priority
) -> tuple[Budget, datetime | None]:
    """Take one message for the one of this name; return what is left, and when to come again where it has to wait.

    Of those that wait, each has its turn after those before it. A page takes one anyway, and lets those wait longer
    that come after.
    """
    before = budget or Budget(rate.burst, now)
    left = min(float(rate.burst), before.left + max(timedelta(), now - before.at) / rate.every)
    others = [each for each in before.waiting if each.name != name and each.until > now]
    if priority.value is None:
        return replace(before, left=max(left - 1, -float(rate.burst)), at=now, waiting=tuple(others)), None
    since = min((each.since for each in before.waiting if each.name == name and each.until > now), default=now)
    turn = since + priority.value
    ahead = sum((each.turn, each.name) < (turn, name) for each in others)
    if left >= ahead + 1:
        return replace(before, left=left - 1, at=now, waiting=tuple(others)), None
    again_at = now + max((1 - left) * rate.every, min((ahead + 1 - left) * rate.every, _LOOKS_AGAIN))
    mine = Waiting(name=name, since=since, turn=turn, until=again_at + _IS_WAITED_FOR)
    return replace(before, left=left, at=now, waiting=_in_order((*others, mine))), again_at


def without_place(budget: Budget, name: str) -> Budget:
    """Return the budget without the place of the one of this name, which has nothing to tell now; else the same."""
    if all(each.name != name for each in budget.waiting):
        return budget
    return replace(budget, waiting=tuple(each for each in budget.waiting if each.name != name))


def _in_order(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    return tuple(sorted(waiting, key=lambda each: (each.turn, each.name))[:MOST_WAITING])
