"""How many messages a channel gets, and which comes first: a token bucket with a queue, as a value.

Messages are delayed, never dropped. A message gets a token only if enough are left for all messages before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from shared.domain import versions
from shared.domain.versions import NOT_IN_JSON, UnknownFields


class Priority(Enum):
    """What a message is. The value is added to the time at which the message came; the sum orders the queue."""

    PAGE = None
    """Sent at once, even if others wait."""
    WARNING = timedelta()
    INFO = timedelta(minutes=15)
    RESOLVED = timedelta(minutes=30)


# A message far back in the queue is tried again after this: others may have left the queue.
_LONGEST_PAUSE: Final = timedelta(minutes=1)
# A place is kept for so long after its message should have come. If a worker was killed, another one takes over when
# the lease in the due-set is over. A worker of an older version sends without giving the place back.
_PLACE_KEPT_FOR: Final = timedelta(minutes=2)
# `left` is a float, and times are whole microseconds: at the time that a message was given, its token is there.
_ROUNDING: Final = 1e-6
# Keeps the record small: a message behind these has no place of its own.
MOST_WAITING: Final = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """Up to `burst` messages at once, and one more after each `every`."""

    burst: int = 20
    every: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that waits for its turn. It came first at `since`, and keeps its place `until` then.

    `turn` orders the queue: `since` plus the value of its priority. `name` is unique.
    """

    name: str
    since: datetime
    turn: datetime
    until: datetime
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many messages a channel may still get (`left`, as of `at`), and the messages that wait, in their order."""

    left: float
    at: datetime
    waiting: tuple[Waiting, ...] = ()
    schema: str = versions.CHANNEL_BUDGET
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def spend(
    budget: Budget | None, rate: Rate, now: datetime, *, name: str, priority: Priority
) -> tuple[Budget, datetime | None]:
    """Take a token for the message `name`. Return the budget after it, and when to try again if it has to wait.

    A message gets a token after all those before it in the queue. A page always gets one: the others wait longer.
    """
    before = budget or Budget(rate.burst, now)
    left = min(float(rate.burst), before.left + max(timedelta(), now - before.at) / rate.every)
    others = [each for each in before.waiting if each.name != name and each.until > now]
    if priority.value is None:
        return replace(before, left=max(left - 1, -float(rate.burst)), at=now, waiting=tuple(others)), None
    since = min((each.since for each in before.waiting if each.name == name and each.until > now), default=now)
    turn = since + priority.value
    ahead = sum((each.turn, each.name) < (turn, name) for each in others)
    if left + _ROUNDING >= ahead + 1:
        return replace(before, left=left - 1, at=now, waiting=tuple(others)), None
    again_at = now + max((1 - left) * rate.every, min((ahead + 1 - left) * rate.every, _LONGEST_PAUSE))
    mine = Waiting(name=name, since=since, turn=turn, until=again_at + _PLACE_KEPT_FOR)
    return replace(before, left=left, at=now, waiting=_in_order((*others, mine))), again_at


def without_place(budget: Budget, name: str) -> Budget:
    """Return the budget without the place of `name`, which has nothing to tell now; the same object if it has none."""
    if all(each.name != name for each in budget.waiting):
        return budget
    return replace(budget, waiting=tuple(each for each in budget.waiting if each.name != name))


def _in_order(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    return tuple(sorted(waiting, key=lambda each: (each.turn, each.name))[:MOST_WAITING])
