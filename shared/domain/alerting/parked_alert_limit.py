"""Limits how many causes of parked messages get an alert of their own. The others share the collecting alert. Pure.

A cause stays in the alert that told of it until its messages are gone. So a flood of new causes ends no alert. Both
limits are for one stream.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

# A flood must not use up the channel's budget for other alerts.
MOST_CAUSES: Final = 10
# Additional ones for urgent causes: a guest arrives soon, and the collecting alert must not hide that.
MOST_URGENT: Final = 10
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One cause: its number of messages and its nearest check-in.

    `is_urgent`: check-in is so near that people are paged. `is_collected`: the open collecting alert has told of it.
    `keeps_a_code`: its messages include a change or a cancellation of a booking that stands, so a code works that
    shouldn't, or at the wrong times.
    """

    name: str
    count: int
    due_at: datetime | None = None
    is_urgent: bool = False
    keeps_a_code: bool = False
    is_collected: bool = False


def with_own_alert(candidates: Iterable[Candidate], told: AbstractSet[str]) -> list[str]:
    """Return the names of the causes that have an alert of their own, the most urgent first.

    `told` are the names of those that have one now: they all keep it. Of the others, the urgent ones get one first,
    then those that no alert has told of yet: causes that keep a code, then by the nearest check-in.
    """
    ranked = sorted(candidates, key=_rank)
    own = {each.name for each in ranked if each.name in told}
    for each in ranked:
        most = MOST_CAUSES + MOST_URGENT if each.is_urgent else MOST_CAUSES
        if len(own) < most and (each.is_urgent or not each.is_collected):
            own.add(each.name)
    return [each.name for each in ranked if each.name in own]


def _rank(each: Candidate) -> tuple[bool, bool, datetime, int, str]:
    return not each.is_urgent, not each.keeps_a_code, each.due_at or _NEVER, -each.count, each.name
