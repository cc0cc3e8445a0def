"""Which of too many connections goes first: the one that has kept us waiting longest."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import Final, Generic, Protocol, TypeVar

# Looking through thousands for one costs many times what a connection does; so a look finds as many as this.
_FOUND_AT_ONCE: Final = 256
# While all are being served, refusing must cost next to nothing (seconds).
_NOBODY_FOR: Final = 0.01


class Connection(Protocol):
    """One of the crowd."""

    since: float
    """When it was made, became idle, or began what it asks; it never moves back."""

    @property
    def may_go(self) -> bool:
        """Whether it is the client's turn, and the connection is open."""


Each = TypeVar("Each", bound=Connection)


class Crowd(Generic[Each]):
    """Finds who goes first, again and again, while the crowd changes."""

    def __init__(self) -> None:
        # `since`, and whose, the longest last. Who has moved meanwhile is not among the longest any more, and nobody
        # else has become one of them, but for those who have just ceased to be new.
        self._longest: list[tuple[float, Each]] = []
        self._look_again_at = 0.0

    def longest_waiting(self, connections: Iterable[Each], now: float) -> Each | None:
        """Return the one of those that may go which has kept us waiting longest; None where none may, or lately might.

        `now` is in the clock of `since`.
        """
        while self._longest:
            since, each = self._longest.pop()
            if each.since == since and each.may_go:
                return each
        if now < self._look_again_at:
            return None
        found = nsmallest(_FOUND_AT_ONCE, (each for each in connections if each.may_go), key=lambda each: each.since)
        if not found:
            self._look_again_at = now + _NOBODY_FOR
            return None
        self._longest = [(each.since, each) for each in reversed(found)]
        return self._longest.pop()[1]
